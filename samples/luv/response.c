/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <ctype.h>

/* Pushes the name in lower case. */
static void push_name(lua_State* L, const char* name) {
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (; *name != '\0'; ++name)
        luaL_addchar(&buffer, (char)tolower((unsigned char)*name));
    luaL_pushresult(&buffer);
}

/* The lines in their order, and by name what they say; of several, all, with commas between. */
static void push_headers(lua_State* L, const curlicue_head* head) {
    lua_newtable(L);
    for (size_t i = 0; i != head->header_count; ++i) {
        const curlicue_header* const header = &head->headers[i];
        lua_pushfstring(L, "%s: %s", header->name, header->value);
        lua_rawseti(L, -2, (int)i + 1);
        push_name(L, header->name);
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (lua_isnil(L, -1))
            lua_pushstring(L, header->value);
        else
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), header->value);
        lua_remove(L, -2);
        lua_rawset(L, -3);
    }
}

void push_response(lua_State* L, const curlicue_outcome* outcome) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, outcome->head->status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, outcome->head->url);
    lua_setfield(L, -2, "url");
    push_headers(L, outcome->head);
    lua_setfield(L, -2, "headers");
    if (outcome->body != NULL) {
        lua_pushlstring(L, outcome->body, outcome->body_size);
        lua_setfield(L, -2, "body");
    }
}
