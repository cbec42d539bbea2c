/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

static const char type_name[] = "curlicue.transfer";

static void release(struct transfer* transfer) {
    curlicue_easy_free(transfer->easy);
    while (transfer->lists != NULL) {
        struct list* const list = transfer->lists;
        transfer->lists = list->next;
        curl_slist_free_all(list->items);
        free(list);
    }
    free(transfer->body);
    transfer->easy = NULL;
    transfer->body = NULL;
}

/* One that runs is finalized only when the state closes: done() comes still. */
static int transfer_gc(lua_State* L) {
    struct transfer* const transfer = lua_touserdata(L, 1);
    if (!transfer->running)
        release(transfer);
    return 0;
}

static size_t append(struct transfer* transfer, const char* data, size_t size) {
    /* Of a size that grows by doubling: its powers of two are where there is no room left. */
    const size_t needed = transfer->size + size;
    size_t room = 4096;
    while (room < transfer->size)
        room *= 2;
    if (transfer->body == NULL || needed > room) {
        while (room < needed)
            room *= 2;
        char* const longer = realloc(transfer->body, room);
        if (longer == NULL)
            return CURL_WRITEFUNC_ERROR;
        transfer->body = longer;
    }
    memcpy(transfer->body + transfer->size, data, size);
    transfer->size = needed;
    return size;
}

static size_t received(char* data, size_t one, size_t size, void* of) {
    struct transfer* const transfer = of;
    (void)one;
    transfer->held = transfer->paused;
    if (transfer->held)
        return CURL_WRITEFUNC_PAUSE; /* and libcurl comes with it again */
    if (!transfer->streams)
        return append(transfer, data, size);
    transfer->chunk = data;
    transfer->chunk_size = size;
    transfer->failed = true; /* until write() comes to its end */
    client_call(transfer->client, transfer->client->write, transfer);
    return transfer->failed ? CURL_WRITEFUNC_ERROR : size;
}

/* Pushes the userdata. */
static struct transfer* push_transfer(lua_State* L) {
    struct transfer* const transfer = lua_touserdata(L, 1);
    lua_pushvalue(L, 1);
    lua_rawget(L, LUA_REGISTRYINDEX);
    return transfer;
}

/* Hands a chunk on. libcurl is on the stack, and an error ends the transfer instead of the program.
 */
static int write_chunk(lua_State* L) {
    struct transfer* const transfer = push_transfer(L);
    lua_getfenv(L, -1);
    lua_getfield(L, -1, "write");
    lua_pushlstring(L, transfer->chunk, transfer->chunk_size);
    lua_pushvalue(L, 2);
    transfer->failed = lua_pcall(L, 2, 0, 0) != 0;
    if (transfer->failed)
        lua_setfield(L, 3, "error");
    return 0;
}

/* The error of a coroutine, with its traceback. */
static void raise_from(lua_State* L, lua_State* coroutine) {
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_pushthread(coroutine);
    lua_xmove(coroutine, L, 1);
    lua_pushvalue(coroutine, -1);
    lua_xmove(coroutine, L, 1);
    lua_call(L, 2, 1);
    lua_error(L);
}

static void resume(lua_State* L, lua_State* coroutine, int results) {
    lua_xmove(L, coroutine, results);
    const int status = lua_resume(coroutine, results);
    if (status != 0 && status != LUA_YIELD)
        raise_from(L, coroutine);
    lua_settop(coroutine, 0); /* what it has returned or yielded is for nobody */
}

static int push_outcome(lua_State* L, const struct transfer* transfer) {
    if (transfer->status == 0) {
        push_response(L, transfer);
        return 1;
    }
    push_failure(L, transfer->status, transfer->message);
    if (transfer->failed) { /* in words of the user's */
        lua_getfield(L, 3, "error");
        lua_replace(L, -3);
    }
    return 3;
}

static int tell(lua_State* L) {
    struct transfer* const transfer = push_transfer(L);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_getfenv(L, 2);
    lua_getfield(L, 3, "told");
    const int results = push_outcome(L, transfer);
    release(transfer);
    if (lua_isfunction(L, 4))
        lua_call(L, results, 0);
    else if (transfer->waited_for)
        resume(L, lua_tothread(L, 4), results);
    return 0;
}

static void done(void* data, CURL* handle, int status, const char* message) {
    struct transfer* const transfer = data;
    (void)handle;
    transfer->running = false;
    transfer->status = status;
    transfer->message = message;
    if (transfer->client->L == NULL)
        release(transfer);
    else
        client_call(transfer->client, transfer->client->tell, transfer);
}

struct transfer* transfer_new(lua_State* L, struct client* client) {
    struct transfer* const transfer = lua_newuserdata(L, sizeof *transfer);
    *transfer = (struct transfer){.client = client};
    luaL_getmetatable(L, type_name);
    lua_setmetatable(L, -2);
    lua_newtable(L);
    lua_setfenv(L, -2);
    if (curlicue_easy_new(&transfer->easy) != 0)
        luaL_error(L, "curlicue: out of memory");
    transfer->handle = curlicue_easy_handle(transfer->easy);
    curl_easy_setopt(transfer->handle, CURLOPT_WRITEFUNCTION, received);
    curl_easy_setopt(transfer->handle, CURLOPT_WRITEDATA, transfer);
    return transfer;
}

void transfer_keep(lua_State* L, const char* name) {
    lua_getfenv(L, at_transfer);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

int transfer_start(lua_State* L, struct transfer* transfer) {
    lua_pushlightuserdata(L, transfer);
    lua_pushvalue(L, at_transfer);
    lua_rawset(L, LUA_REGISTRYINDEX);
    int status = client_open(transfer->client);
    if (status == 0)
        status = curlicue_multi_add(transfer->client->multi, transfer->handle, done, transfer);
    transfer->running = status == 0;
    if (status != 0) {
        lua_pushlightuserdata(L, transfer);
        lua_pushnil(L);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    return status;
}

static int outcome_of(lua_State* L, int status) {
    if (status != 0)
        return push_failure(L, status, curlicue_strerror(status));
    lua_pushboolean(L, 1);
    return 1;
}

/* Is it over, or of a multi that is closed already, there is nothing left to do to it. */
static struct transfer* check_transfer(lua_State* L, int* status) {
    struct transfer* const transfer = luaL_checkudata(L, 1, type_name);
    *status = transfer->running && transfer->client->multi != NULL ? 0 : CURLICUE_NOT_ADDED;
    return transfer;
}

static int transfer_cancel(lua_State* L) {
    int status;
    struct transfer* const transfer = check_transfer(L, &status);
    if (status == 0)
        status = curlicue_multi_remove(transfer->client->multi, transfer->handle);
    return outcome_of(L, status);
}

/* When the next bytes come: curlicue_multi_pause() waits for libcurl to return, and that brings
 * more of them until then. */
static int transfer_pause(lua_State* L) {
    int status;
    struct transfer* const transfer = check_transfer(L, &status);
    transfer->paused = true;
    return outcome_of(L, status);
}

static int transfer_unpause(lua_State* L) {
    int status;
    struct transfer* const transfer = check_transfer(L, &status);
    transfer->paused = false;
    if (status == 0 && transfer->held)
        status = curlicue_multi_pause(transfer->client->multi, transfer->handle, CURLPAUSE_CONT);
    return outcome_of(L, status);
}

void transfer_register(lua_State* L, struct client* client) {
    static const luaL_Reg methods[] = {{"cancel", transfer_cancel},
                                       {"pause", transfer_pause},
                                       {"unpause", transfer_unpause},
                                       {NULL, NULL}};
    luaL_newmetatable(L, type_name);
    lua_pushcfunction(L, transfer_gc);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, tell);
    client->tell = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, write_chunk);
    client->write = luaL_ref(L, LUA_REGISTRYINDEX);
}
