/* SPDX-License-Identifier: MIT */
#ifndef CURLICUE_LUV_TRANSFER_H
#define CURLICUE_LUV_TRANSFER_H

#include "client.h"

#include <stdbool.h>

/* The stack of get(), where a transfer is made. */
enum { at_url = 1, at_options, at_told, at_transfer };

/* A userdata, which Lua keeps while it runs. Its environment has `told` (the function or coroutine
 * that is told of its end), `write`, and `error`: what `write` has raised; and whatever the
 * pointers here lead to. */
struct transfer {
    struct client* client;
    curlicue_call* call;
    struct option* options; /* of libcurl's, the last one first */
    const char* refused;    /* the one that libcurl did not take */
    bool has_body;
    bool waited_for;   /* by the coroutine that is to be told */
    bool failed;       /* in `write` */
    const char* chunk; /* for `write` */
    size_t chunk_size;
    const curlicue_outcome* outcome;
};

/* Makes its type, and the functions that `client` has references to. */
void transfer_register(lua_State* L, struct client* client);
/* Pushes it, which is at at_transfer. */
struct transfer* transfer_new(lua_State* L, struct client* client);
/* Pops a value into its environment. */
void transfer_keep(lua_State* L, const char* name);
/* @returns a status */
int transfer_start(lua_State* L, struct transfer* transfer, curlicue_request* request);

/* What URL and options say. Raises an error for what is wrong in them. */
curlicue_request read_options(lua_State* L, struct transfer* transfer);
/* A `tweak`. */
int set_options(void* transfer, curlicue_call* call, CURL* handle);
/* Pushes the table that describes the reply. */
void push_response(lua_State* L, const curlicue_outcome* outcome);

#endif
