/* SPDX-License-Identifier: MIT */
#ifndef CURLICUE_LUV_CLIENT_H
#define CURLICUE_LUV_CLIENT_H

#include <curlicue/curlicue.h>

#include <luv/luv.h>

/* What the module has in each Lua state: one multi on luv's loop. */
struct client {
    lua_State* L; /* where luv calls back; null once the state closes */
    luv_ctx_t* luv;
    curlicue_multi* multi; /* null before the first transfer, and after a close */
    int open;              /* multis that still have handles on the loop */
    int entered;           /* how many calls of client_call() are on the stack */
    int tell, write;       /* what transfers call: references */
};

/* Pushes it. Raises an error without luv. */
struct client* client_new(lua_State* L);
/* @returns a status; 0: there is a multi */
int client_open(struct client* client);
/* @param callback a reference to a function that is called, and let go of, when nothing of ours is
 * on the loop any more, or LUA_NOREF */
int client_close(struct client* client, int callback);

/* Calls the function that `reference` is to with `argument`, unless that is null, as luv calls
 * back: an error goes where those of luv's callbacks go. Once the state closes it calls nothing. */
void client_call(struct client* client, int reference, void* argument);

/* Pushes nil, a message, the status. @returns 3 */
int push_failure(lua_State* L, int status, const char* message);

#endif
