/* SPDX-License-Identifier: MIT */
/* curlicue for Lua: transfers of libcurl's on the loop of luv, which is Neovim's `vim.loop` as
 * well. README.md says how it is used. */
#include "transfer.h"

#if LUA_VERSION_NUM != 501
#error "This is for Lua 5.1 and LuaJIT: later ones do not return from lua_yield()."
#endif

static struct client* client_of(lua_State* L) { return lua_touserdata(L, lua_upvalueindex(1)); }

/* Who is told is a function, or this coroutine. */
static void check_arguments(lua_State* L) {
    lua_settop(L, at_told);
    if (lua_isfunction(L, at_options) && lua_isnil(L, at_told))
        lua_insert(L, at_options);
    luaL_checktype(L, at_url, LUA_TSTRING);
    if (!lua_isnil(L, at_options))
        luaL_checktype(L, at_options, LUA_TTABLE);
    if (!lua_isnil(L, at_told))
        luaL_checktype(L, at_told, LUA_TFUNCTION);
    else if (lua_pushthread(L) != 0)
        luaL_error(L, "curlicue: outside of a coroutine it takes a callback");
    else
        lua_replace(L, at_told);
}

/* get(url [, options] [, callback]) */
static int get(lua_State* L) {
    check_arguments(L);
    struct transfer* const transfer = transfer_new(L, client_of(L));
    curlicue_request request = read_options(L, transfer);
    lua_pushvalue(L, at_told);
    transfer_keep(L, "told");
    const int status = transfer_start(L, transfer, &request);
    if (status == CURLICUE_MALFORMED)
        return luaL_error(L, "curlicue: %s", curlicue_last_refusal());
    if (status != 0)
        return push_failure(L, status, curlicue_strerror(status));
    if (lua_isfunction(L, at_told))
        return 1;
    /* It raises an error where no coroutine can yield, inside pcall() for one: then nobody waits.
     */
    const int yielded = lua_yield(L, 0);
    transfer->waited_for = true;
    return yielded;
}

/* close([callback]) */
static int close_client(lua_State* L) {
    struct client* const client = client_of(L);
    int callback = LUA_NOREF;
    int status = 0;
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) {
        luaL_checktype(L, 1, LUA_TFUNCTION);
        status = client_open(client); /* so that there is something to close, and to be told of */
        callback = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    if (status == 0)
        status = client_close(client, callback);
    if (status == 0)
        return 0;
    luaL_unref(L, LUA_REGISTRYINDEX, callback);
    return push_failure(L, status, curlicue_strerror(status));
}

CURLICUE_EXPORT int luaopen_curlicue(lua_State* L);

int luaopen_curlicue(lua_State* L) {
    static const luaL_Reg functions[] = {{"get", get}, {"close", close_client}, {NULL, NULL}};
    lua_settop(L, 0);
    struct client* const client = client_new(L);
    transfer_register(L, client);
    lua_newtable(L);
    for (const luaL_Reg* each = functions; each->name != NULL; ++each) {
        lua_pushvalue(L, 1);
        lua_pushcclosure(L, each->func, 1);
        lua_setfield(L, -2, each->name);
    }
    lua_pushstring(L, curlicue_version());
    lua_setfield(L, -2, "version");
    return 1;
}
