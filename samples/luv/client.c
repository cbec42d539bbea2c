/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* dladdr() */
#include "client.h"

#include <dlfcn.h>
#include <stdlib.h>

void client_call(struct client* client, int reference, void* argument) {
    lua_State* const L = client->L;
    if (L == NULL) /* what was on its way when the state began to close */
        return;
    /* Nothing here allocates, so nothing is raised outside of the protected call. */
    lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
    if (argument != NULL)
        lua_pushlightuserdata(L, argument);
    ++client->entered;
    client->luv->cb_pcall(L, argument != NULL, 0, 0);
    --client->entered;
}

int client_open(struct client* client) {
    if (client->multi != NULL)
        return 0;
    const int status = curlicue_multi_new(client->luv->loop, NULL, &client->multi);
    client->open += status == 0;
    return status;
}

struct closing {
    struct client* client;
    int callback;
};

static void closed(void* data) {
    const struct closing closing = *(struct closing*)data;
    free(data);
    --closing.client->open;
    if (closing.callback == LUA_NOREF || closing.client->L == NULL)
        return;
    client_call(closing.client, closing.callback, NULL);
    luaL_unref(closing.client->L, LUA_REGISTRYINDEX, closing.callback);
}

int client_close(struct client* client, int callback) {
    if (client->multi == NULL)
        return 0;
    struct closing* const closing = malloc(sizeof *closing);
    if (closing == NULL)
        return UV_ENOMEM;
    *closing = (struct closing){client, callback};
    const int status = curlicue_multi_close(client->multi, closed, closing);
    if (status != 0) {
        free(closing);
        return status;
    }
    curlicue_multi_free(client->multi);
    client->multi = NULL;
    return 0;
}

typedef luv_ctx_t* context_function(lua_State*);

/* Lua opens modules with RTLD_LOCAL, so luv's functions are found only through luv itself: in the
 * file that one of them is from, or, where that is the program (Neovim may have it linked in),
 * among what the program exports. */
static context_function* find_context(lua_State* L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "luv");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
    const lua_CFunction run = lua_tocfunction(L, -1);
    lua_pop(L, 2);
    Dl_info file;
    void* luv = NULL;
    if (run != NULL && dladdr(*(void**)&run, &file) != 0)
        luv = dlopen(file.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    context_function* found = NULL;
    *(void**)&found = dlsym(luv != NULL ? luv : RTLD_DEFAULT, "luv_context");
    if (luv != NULL)
        dlclose(luv); /* it stays as long as Lua has it */
    return found;
}

/* The state closes. luv would then close every handle on its loop as if it were its own, so ours
 * have to be gone: this runs before, since Lua finalizes what is younger first. */
static int client_gc(lua_State* L) {
    struct client* const client = lua_touserdata(L, 1);
    client->L = NULL;
    /* In a callback of ours, which calls os.exit(code, true), and in a child after a fork it will
     * never be closed. luv leaves a loop alone that it does not have. */
    if (client->entered != 0 || client_close(client, LUA_NOREF) != 0) {
        client->luv->loop = NULL;
        return 0;
    }
    while (client->open != 0)
        uv_run(client->luv->loop, UV_RUN_ONCE);
    return 0;
}

struct client* client_new(lua_State* L) {
    context_function* const context = find_context(L);
    if (context == NULL)
        luaL_error(L, "curlicue needs a luv that has luv_context(): 1.30 or newer");
    struct client* const client = lua_newuserdata(L, sizeof *client);
    *client = (struct client){.L = context(L)->L, .luv = context(L)};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, client_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_pushlightuserdata(L, client); /* until the state closes, whoever forgets the module */
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return client;
}

int push_failure(lua_State* L, int status, const char* message) {
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushinteger(L, status);
    return 3;
}
