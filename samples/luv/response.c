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
static void push_headers(lua_State* L, CURL* handle) {
    struct curl_header* header = NULL;
    int count = 0;
    lua_newtable(L);
    while ((header = curl_easy_nextheader(handle, CURLH_HEADER, -1, header)) != NULL) {
        lua_pushfstring(L, "%s: %s", header->name, header->value);
        lua_rawseti(L, -2, ++count);
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

void push_response(lua_State* L, const struct transfer* transfer) {
    long status = 0;
    const char* url = NULL;
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->handle, CURLINFO_EFFECTIVE_URL, &url);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, url);
    lua_setfield(L, -2, "url");
    push_headers(L, transfer->handle);
    lua_setfield(L, -2, "headers");
    if (!transfer->streams) {
        lua_pushlstring(L, transfer->body, transfer->size);
        lua_setfield(L, -2, "body");
    }
}
