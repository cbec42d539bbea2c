/* SPDX-License-Identifier: MIT */
/* Options from a table: some by plain names, all others of libcurl's by the names that they have
 * there, in lower case. The value is on top of the stack. */
#include "transfer.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int wants(lua_State* L, const char* name, const char* what) {
    return luaL_error(L, "curlicue: option '%s' is to be %s, not a %s", name, what,
                      luaL_typename(L, -1));
}

static void check(lua_State* L, const char* name, CURLcode code) {
    if (code != CURLE_OK)
        luaL_error(L, "curlicue: option '%s': %s", name, curl_easy_strerror(code));
}

/* libcurl would end it at a NUL. */
static const char* text(lua_State* L, const char* name, int index) {
    size_t size = 0;
    const char* const value = lua_tolstring(L, index, &size);
    if (strlen(value) != size)
        luaL_error(L, "curlicue: option '%s' has a NUL in it", name);
    return value;
}

static const char* string(lua_State* L, const char* name) {
    if (lua_type(L, -1) != LUA_TSTRING)
        wants(L, name, "a string");
    return text(L, name, -1);
}

static curl_off_t number(lua_State* L, const char* name) {
    if (lua_isboolean(L, -1))
        return lua_toboolean(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER)
        wants(L, name, "a number or a boolean");
    const lua_Number value = lua_tonumber(L, -1);
    if (value != value)
        wants(L, name, "a number or a boolean");
    /* math.huge is as much as there is, and a cast of it is undefined. */
    if (value >= (lua_Number)INT64_MAX || value <= -(lua_Number)INT64_MAX)
        return value > 0 ? INT64_MAX : -INT64_MAX;
    return (curl_off_t)value;
}

static void append(lua_State* L, struct list* list, const char* item) {
    struct curl_slist* const longer = curl_slist_append(list->items, item);
    if (longer == NULL)
        luaL_error(L, "curlicue: out of memory");
    list->items = longer;
}

/* The transfer's from the start, since errors leave from anywhere. */
static struct list* new_list(lua_State* L, struct transfer* transfer) {
    struct list* const list = calloc(1, sizeof *list);
    if (list == NULL)
        luaL_error(L, "curlicue: out of memory");
    list->next = transfer->lists;
    transfer->lists = list;
    return list;
}

static void set_list(lua_State* L, struct transfer* transfer, const char* name, CURLoption option) {
    if (!lua_istable(L, -1))
        wants(L, name, "a list of strings");
    struct list* const list = new_list(L, transfer);
    for (int i = 1; i <= (int)lua_objlen(L, -1); ++i) {
        lua_rawgeti(L, -1, i);
        append(L, list, string(L, name));
        lua_pop(L, 1);
    }
    check(L, name, curl_easy_setopt(transfer->handle, option, list->items));
}

/* What HTTP has no quotes for; libcurl sends what it is given. */
static const char* token(lua_State* L, const char* name, const char* word) {
    const char* at = word;
    while (isgraph((unsigned char)*at) && *at != ':')
        ++at;
    if (at == word || *at != '\0')
        luaL_error(L, "curlicue: option '%s': \"%s\" is no name", name, word);
    return word;
}

static const char* line(lua_State* L, const char* name, const char* line) {
    if (strpbrk(line, "\r\n") != NULL)
        luaL_error(L, "curlicue: option '%s' has a line break in it", name);
    return line;
}

/* Pushes "Name: value" for the key and the value on top, in libcurl's way of writing them. */
static void push_header(lua_State* L, const char* name) {
    if (lua_type(L, -2) == LUA_TNUMBER) {
        lua_pushstring(L, string(L, name));
        return;
    }
    const char* const field = token(L, name, text(L, name, -2));
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
        lua_pushfstring(L, "%s:", field); /* not the one that libcurl would send by itself */
        return;
    }
    if (!lua_isstring(L, -1))
        wants(L, name, "strings, numbers or false");
    lua_pushvalue(L, -1); /* a copy, since a number becomes a string */
    const char* const value = text(L, name, -1);
    lua_pushfstring(L, *value == '\0' ? "%s;" : "%s: %s", field, value);
    lua_remove(L, -2);
}

static void set_headers(lua_State* L, struct transfer* transfer) {
    if (!lua_istable(L, -1))
        wants(L, "headers", "a table");
    struct list* const list = new_list(L, transfer);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        push_header(L, "headers");
        append(L, list, line(L, "headers", lua_tostring(L, -1)));
        lua_pop(L, 2);
    }
    check(L, "headers", curl_easy_setopt(transfer->handle, CURLOPT_HTTPHEADER, list->items));
}

static bool wants_body(const char* method) {
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static void set_method(lua_State* L, struct transfer* transfer) {
    const char* const method = token(L, "method", string(L, "method"));
    transfer->wants_body = wants_body(method);
    if (strcmp(method, "HEAD") == 0)
        check(L, "method", curl_easy_setopt(transfer->handle, CURLOPT_NOBODY, 1L));
    else
        check(L, "method", curl_easy_setopt(transfer->handle, CURLOPT_CUSTOMREQUEST, method));
}

/* libcurl reads the string itself. */
static void set_body(lua_State* L, struct transfer* transfer) {
    if (lua_type(L, -1) != LUA_TSTRING)
        wants(L, "body", "a string");
    size_t size = 0;
    const char* const body = lua_tolstring(L, -1, &size);
    transfer->has_body = true;
    check(L, "body",
          curl_easy_setopt(transfer->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size));
    check(L, "body", curl_easy_setopt(transfer->handle, CURLOPT_POSTFIELDS, body));
    lua_pushvalue(L, -1);
    transfer_keep(L, "body");
}

static void set_timeout(lua_State* L, struct transfer* transfer) {
    check(L, "timeout",
          curl_easy_setopt(transfer->handle, CURLOPT_TIMEOUT_MS, (long)number(L, "timeout")));
}

static void set_follow(lua_State* L, struct transfer* transfer) {
    check(L, "follow",
          curl_easy_setopt(transfer->handle, CURLOPT_FOLLOWLOCATION, (long)number(L, "follow")));
}

static void set_write(lua_State* L, struct transfer* transfer) {
    if (!lua_isfunction(L, -1))
        wants(L, "write", "a function");
    transfer->streams = true;
    lua_pushvalue(L, -1);
    transfer_keep(L, "write");
}

static void set_of_libcurl(lua_State* L, struct transfer* transfer, const char* name) {
    const struct curl_easyoption* const option = curl_easy_option_by_name(name);
    if (option == NULL)
        luaL_error(L, "curlicue: there is no option '%s'", name);
    switch (option->type) {
    case CURLOT_LONG:
    case CURLOT_VALUES:
        check(L, name, curl_easy_setopt(transfer->handle, option->id, (long)number(L, name)));
        break;
    case CURLOT_OFF_T:
        check(L, name, curl_easy_setopt(transfer->handle, option->id, number(L, name)));
        break;
    case CURLOT_STRING:
        check(L, name, curl_easy_setopt(transfer->handle, option->id, string(L, name)));
        break;
    case CURLOT_SLIST:
        set_list(L, transfer, name, option->id);
        break;
    default:
        luaL_error(L, "curlicue: option '%s' cannot be set from Lua", name);
    }
}

static void set_option(lua_State* L, struct transfer* transfer, const char* name) {
    static const struct {
        const char* name;
        void (*set)(lua_State*, struct transfer*);
    } plain[] = {{"body", set_body},     {"follow", set_follow},   {"headers", set_headers},
                 {"method", set_method}, {"timeout", set_timeout}, {"write", set_write}};
    for (size_t i = 0; i != sizeof plain / sizeof *plain; ++i)
        if (strcmp(plain[i].name, name) == 0) {
            plain[i].set(L, transfer);
            return;
        }
    set_of_libcurl(L, transfer, name);
}

/* Servers want to be told that there is none, or answer 411 (RFC 9110, 8.6): an upload of nothing,
 * which is of no media type either. */
static void set_no_body(lua_State* L, struct transfer* transfer) {
    if (transfer->wants_body)
        check(L, "method", curl_easy_setopt(transfer->handle, CURLOPT_UPLOAD, 1L));
    check(L, "body", curl_easy_setopt(transfer->handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)0));
    check(L, "body",
          curl_easy_setopt(transfer->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0));
}

void set_options(lua_State* L, struct transfer* transfer) {
    lua_pushvalue(L, at_url);
    check(L, "url", curl_easy_setopt(transfer->handle, CURLOPT_URL, string(L, "url")));
    lua_pop(L, 1);
    if (lua_isnil(L, at_options))
        return;
    lua_pushnil(L);
    while (lua_next(L, at_options) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "curlicue: options have names");
        set_option(L, transfer, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
    if (!transfer->has_body)
        set_no_body(L, transfer);
}
