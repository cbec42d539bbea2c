/* SPDX-License-Identifier: MIT */
/* Options from a table: some by plain names, all others of libcurl's by the names that they have
 * there, in lower case. The value is on top of the stack. Memory is Lua's, in userdata that the
 * environment of the transfer keeps, since errors leave from anywhere. */
#include "transfer.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

/* One of libcurl's: a number, a text or a list. */
struct option {
    struct option* next;
    const char* name;
    const struct curl_easyoption* of;
    curl_off_t number;
    const char* text;
    struct curl_slist* list;
};

/* Keeps the value on top. */
static void keep(lua_State* L) {
    lua_getfenv(L, at_transfer);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 1);
}

static void* new_memory(lua_State* L, size_t size) {
    void* const memory = lua_newuserdata(L, size);
    keep(L);
    lua_pop(L, 1);
    return memset(memory, 0, size);
}

static int wants(lua_State* L, const char* name, const char* what) {
    return luaL_error(L, "curlicue: option '%s' is to be %s, not a %s", name, what,
                      luaL_typename(L, -1));
}

/* C would end it at a NUL. */
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
    keep(L);
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

static struct curl_slist* list(lua_State* L, const char* name) {
    struct curl_slist* first = NULL;
    if (!lua_istable(L, -1))
        wants(L, name, "a list of strings");
    for (int i = (int)lua_objlen(L, -1); i > 0; --i) {
        struct curl_slist* const item = new_memory(L, sizeof *item);
        lua_rawgeti(L, -1, i);
        item->data = (char*)string(L, name);
        item->next = first;
        lua_pop(L, 1);
        first = item;
    }
    return first;
}

/* What HTTP has no quotes for. */
static const char* token(lua_State* L, const char* name, const char* word) {
    const char* at = word;
    while (isgraph((unsigned char)*at) && *at != ':')
        ++at;
    if (at == word || *at != '\0')
        luaL_error(L, "curlicue: option '%s': \"%s\" is no name", name, word);
    return word;
}

/* "Name: value" for one, "Name:" for none and "Name;" for an empty one, as libcurl has them. */
static curlicue_header header_of_line(lua_State* L, const char* name, const char* line) {
    const size_t length = strcspn(line, ":;");
    lua_pushlstring(L, line, length);
    const char* const field = token(L, name, string(L, name));
    lua_pop(L, 1);
    const char* const value = line + length + (line[length] != '\0');
    const char* const begin = value + strspn(value, " \t");
    return (curlicue_header){field, *begin == '\0' && line[length] != ';' ? NULL : begin};
}

static curlicue_header header_of_pair(lua_State* L, const char* name) {
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "curlicue: option '%s': a %s is no name", name, luaL_typename(L, -2));
    const char* const field = token(L, name, text(L, name, -2));
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return (curlicue_header){field, NULL};
    if (!lua_isstring(L, -1))
        wants(L, name, "strings, numbers or false");
    lua_pushvalue(L, -1); /* a copy, since a number becomes a string */
    const char* const value = text(L, name, -1);
    keep(L);
    lua_pop(L, 1);
    return (curlicue_header){field, value};
}

static void read_headers(lua_State* L, const char* name, curlicue_request* request) {
    if (!lua_istable(L, -1))
        wants(L, name, "a table");
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
        ++count;
    curlicue_header* const headers = new_memory(L, (count + 1) * sizeof *headers);
    request->headers = headers;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        const curlicue_header header = lua_type(L, -2) == LUA_TNUMBER
                                           ? header_of_line(L, name, string(L, name))
                                           : header_of_pair(L, name);
        if (header.value != NULL && strpbrk(header.value, "\r\n") != NULL)
            luaL_error(L, "curlicue: option '%s' has a line break in it", name);
        headers[request->header_count++] = header;
    }
}

static void read_method(lua_State* L, const char* name, curlicue_request* request) {
    request->method = token(L, name, string(L, name));
}

static void read_body(lua_State* L, const char* name, curlicue_request* request) {
    size_t size = 0;
    if (lua_type(L, -1) != LUA_TSTRING)
        wants(L, name, "a string");
    request->body = lua_tolstring(L, -1, &size);
    request->body_size = (curl_off_t)size;
}

static void read_timeout(lua_State* L, const char* name, curlicue_request* request) {
    request->limits.total_ms = (long)number(L, name);
}

static void read_follow(lua_State* L, const char* name, curlicue_request* request) {
    request->redirects.mode =
        number(L, name) != 0 ? CURLICUE_REDIRECT_FOLLOW : CURLICUE_REDIRECT_MANUAL;
}

static void read_most(lua_State* L, const char* name, curlicue_request* request) {
    const curl_off_t most = number(L, name);
    request->redirects.most = most < 0 || most > INT_MAX ? INT_MAX : (unsigned)most;
}

static void read_write(lua_State* L, const char* name, curlicue_request* request) {
    (void)request;
    if (!lua_isfunction(L, -1))
        wants(L, name, "a function");
    lua_pushvalue(L, -1);
    transfer_keep(L, name);
}

static void read_of_libcurl(lua_State* L, struct transfer* transfer, const char* name) {
    const struct curl_easyoption* const of = curl_easy_option_by_name(name);
    if (of == NULL)
        luaL_error(L, "curlicue: there is no option '%s'", name);
    struct option* const option = new_memory(L, sizeof *option);
    option->of = of;
    lua_pushvalue(L, -2);
    option->name = string(L, name);
    lua_pop(L, 1);
    switch (of->type) {
    case CURLOT_LONG:
    case CURLOT_VALUES:
    case CURLOT_OFF_T:
        option->number = number(L, name);
        break;
    case CURLOT_STRING:
        option->text = string(L, name);
        break;
    case CURLOT_SLIST:
        option->list = list(L, name);
        break;
    default:
        luaL_error(L, "curlicue: option '%s' cannot be set from Lua", name);
    }
    option->next = transfer->options;
    transfer->options = option;
}

static void read_option(lua_State* L, struct transfer* transfer, const char* name,
                        curlicue_request* request) {
    static const struct {
        const char* name;
        void (*read)(lua_State*, const char*, curlicue_request*);
    } plain[] = {
        {"body", read_body},       {"follow", read_follow},  {"followlocation", read_follow},
        {"headers", read_headers}, {"maxredirs", read_most}, {"method", read_method},
        {"timeout", read_timeout}, {"write", read_write}};
    for (size_t i = 0; i != sizeof plain / sizeof *plain; ++i)
        if (strcmp(plain[i].name, name) == 0) {
            plain[i].read(L, name, request);
            return;
        }
    read_of_libcurl(L, transfer, name);
}

curlicue_request read_options(lua_State* L, struct transfer* transfer) {
    curlicue_request request = {.size = sizeof request,
                                .url = text(L, "url", at_url),
                                .redirects.mode = CURLICUE_REDIRECT_MANUAL,
                                .most_body = SIZE_MAX};
    if (lua_isnil(L, at_options))
        return request;
    for (lua_pushnil(L); lua_next(L, at_options) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "curlicue: options have names");
        read_option(L, transfer, lua_tostring(L, -2), &request);
    }
    transfer->has_body = request.body != NULL;
    if (request.body == NULL && request.method != NULL && strcmp(request.method, "PATCH") == 0)
        request.body = ""; /* without one it would say nothing of its length */
    return request;
}

static CURLcode set(CURL* handle, const struct option* option) {
    switch (option->of->type) {
    case CURLOT_STRING:
        return curl_easy_setopt(handle, option->of->id, option->text);
    case CURLOT_SLIST:
        return curl_easy_setopt(handle, option->of->id, option->list);
    case CURLOT_OFF_T:
        return curl_easy_setopt(handle, option->of->id, option->number);
    default:
        return curl_easy_setopt(handle, option->of->id, (long)option->number);
    }
}

int set_options(void* data, curlicue_call* call, CURL* handle) {
    struct transfer* const transfer = data;
    (void)call;
    if (!transfer->has_body) { /* should `post` or `upload` want one: it is empty (RFC 9110, 8.6) */
        curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)0);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
    }
    for (const struct option* each = transfer->options; each != NULL; each = each->next) {
        const CURLcode code = set(handle, each);
        if (code == CURLE_OK)
            continue;
        transfer->refused = each->name;
        return code;
    }
    return 0;
}
