/* SPDX-License-Identifier: MIT */
#ifndef CURLICUE_LUV_TRANSFER_H
#define CURLICUE_LUV_TRANSFER_H

#include "client.h"

#include <stdbool.h>

/* The stack of get(), where a transfer is made. */
enum { at_url = 1, at_options, at_told, at_transfer };

struct list {
    struct list* next;
    struct curl_slist* items;
};

/* A userdata, which Lua keeps while it runs. Its environment has `told` (the function or coroutine
 * that is told of its end), `write` and `body`, and `error`: what `write` has raised. */
struct transfer {
    struct client* client;
    curlicue_easy* easy;
    CURL* handle;
    struct list* lists; /* what libcurl reads until the end */
    char* body;         /* what came, unless there is a `write` */
    size_t size;
    bool wants_body, has_body; /* by its method; by `body` */
    bool running;
    bool waited_for;   /* by the coroutine that is to be told */
    bool streams;      /* into `write` */
    bool failed;       /* in `write` */
    bool paused, held; /* by the user; by libcurl, therefore */
    const char* chunk; /* for `write` */
    size_t chunk_size;
    int status; /* of the end */
    const char* message;
};

/* Makes its type, and the functions that `client` has references to. */
void transfer_register(lua_State* L, struct client* client);
/* Pushes it, which is at at_transfer. */
struct transfer* transfer_new(lua_State* L, struct client* client);
/* Pops a value into its environment. */
void transfer_keep(lua_State* L, const char* name);
/* @returns a status */
int transfer_start(lua_State* L, struct transfer* transfer);

/* Sets URL and options. Raises an error for what is wrong in them. */
void set_options(lua_State* L, struct transfer* transfer);
/* Pushes the table that describes the reply. */
void push_response(lua_State* L, const struct transfer* transfer);

#endif
