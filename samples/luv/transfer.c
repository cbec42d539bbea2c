/* SPDX-License-Identifier: MIT */
#include "transfer.h"

static const char type_name[] = "curlicue.transfer";

/* One that runs is finalized only when the state closes: done() comes still. */
static int transfer_gc(lua_State* L) {
    struct transfer* const transfer = lua_touserdata(L, 1);
    curlicue_fetch_free(transfer->call);
    transfer->call = NULL;
    return 0;
}

static int received(void* data, curlicue_call* call, const char* bytes, size_t size) {
    struct transfer* const transfer = data;
    (void)call;
    transfer->chunk = bytes;
    transfer->chunk_size = size;
    transfer->failed = true; /* until write() comes to its end */
    client_call(transfer->client, transfer->client->write, transfer);
    return transfer->failed ? CURLE_WRITE_ERROR : 0;
}

/* Pushes the userdata. */
static struct transfer* push_transfer(lua_State* L) {
    struct transfer* const transfer = lua_touserdata(L, 1);
    lua_pushvalue(L, 1);
    lua_rawget(L, LUA_REGISTRYINDEX);
    return transfer;
}

/* Hands a chunk on. An error ends the transfer instead of the program. */
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
    const curlicue_outcome* const outcome = transfer->outcome;
    if (outcome->status == 0) {
        push_response(L, outcome);
        return 1;
    }
    push_failure(L,
                 outcome->status == CURLICUE_TIMED_OUT ? CURLE_OPERATION_TIMEDOUT : outcome->status,
                 outcome->message);
    if (transfer->failed) /* in words of the user's */
        lua_getfield(L, 3, "error");
    else if (transfer->refused != NULL)
        lua_pushfstring(L, "curlicue: option '%s': %s", transfer->refused, outcome->message);
    else
        return 3;
    lua_replace(L, -3);
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
    if (lua_isfunction(L, 4))
        lua_call(L, results, 0);
    else if (transfer->waited_for)
        resume(L, lua_tothread(L, 4), results);
    return 0;
}

static void done(void* data, curlicue_call* call, const curlicue_outcome* outcome) {
    struct transfer* const transfer = data;
    (void)call;
    transfer->outcome = outcome;
    client_call(transfer->client, transfer->client->tell, transfer);
}

struct transfer* transfer_new(lua_State* L, struct client* client) {
    struct transfer* const transfer = lua_newuserdata(L, sizeof *transfer);
    *transfer = (struct transfer){.client = client};
    luaL_getmetatable(L, type_name);
    lua_setmetatable(L, -2);
    lua_newtable(L);
    lua_setfenv(L, -2);
    return transfer;
}

void transfer_keep(lua_State* L, const char* name) {
    lua_getfenv(L, at_transfer);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

int transfer_start(lua_State* L, struct transfer* transfer, curlicue_request* request) {
    lua_pushlightuserdata(L, transfer);
    lua_pushvalue(L, at_transfer);
    lua_rawset(L, LUA_REGISTRYINDEX);
    request->data = transfer;
    request->tweak = set_options;
    request->on_done = done;
    lua_getfenv(L, at_transfer);
    lua_getfield(L, -1, "write");
    if (!lua_isnil(L, -1))
        request->on_body = received;
    lua_pop(L, 2);
    int status = client_open(transfer->client);
    if (status == 0)
        status = curlicue_fetch(transfer->client->multi, NULL, request, &transfer->call);
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

static curlicue_call* check_call(lua_State* L) {
    const struct transfer* const transfer = luaL_checkudata(L, 1, type_name);
    luaL_argcheck(L, transfer->call != NULL, 1, "its state is closing");
    return transfer->call;
}

static int transfer_cancel(lua_State* L) {
    return outcome_of(L, curlicue_fetch_cancel(check_call(L)));
}
static int transfer_pause(lua_State* L) {
    return outcome_of(L, curlicue_fetch_pause(check_call(L)));
}
static int transfer_unpause(lua_State* L) {
    return outcome_of(L, curlicue_fetch_resume(check_call(L)));
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
