/* SPDX-License-Identifier: MIT */
/** @file
 * `fetch` for C: a part of curlicue.h, which includes it.
 *
 * One call asks for a URL, and says what is to be called with the head, the body and the end: over
 * redirects, retries, a queue and time limits, as `curlicue::client` does it. Only http and https,
 * with a server that is verified, and no proxy from the environment.
 */
#ifndef CURLICUE_FETCH_H
#define CURLICUE_FETCH_H

#include <curlicue/curlicue.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr;

/* ---- what both a request and a client say */

/** Two texts, which end with a NUL. */
typedef struct curlicue_header {
    const char* name;
    const char* value; /**< null, in a request: not sent, though it would be by default */
} curlicue_header;

/** In place of a time: there is no limit. */
#define CURLICUE_NO_LIMIT (-1L)

/** Milliseconds. 0: the client's, and where it has none 30 s to connect, 300 s to stall. */
typedef struct curlicue_time_limits {
    long queue_ms;      /**< in the queue, each time that it is entered */
    long connect_ms;    /**< from the start until TLS is done */
    long first_byte_ms; /**< from the last byte of the request to the head */
    long stall_ms;      /**< without a byte, while one is waited for */
    long total_ms;      /**< from the call to the last byte of the body, queue and retries too */
} curlicue_time_limits;

enum curlicue_redirect_mode {
    CURLICUE_REDIRECT_DEFAULT, /**< the client's, if `most` is 0 too; else as the next */
    CURLICUE_REDIRECT_FOLLOW,
    CURLICUE_REDIRECT_MANUAL, /**< the redirect is the answer */
    CURLICUE_REDIRECT_ERROR   /**< a redirect is CURLICUE_REDIRECT_REFUSED */
};

/** As browsers follow them: never from https to anything else, and to another origin without
 *  headers that may hold a secret. */
typedef struct curlicue_redirect_policy {
    enum curlicue_redirect_mode mode;
    unsigned most; /**< one more is CURLICUE_REDIRECT_REFUSED; 0: 10 */
} curlicue_redirect_policy;

/** Writes the URL that a Location leads to from another, and a NUL, to `url`, where `room` bytes
 *  are: for who reads URLs by a parser of their own, with which curlicue must not be at odds.
 *  @returns 0, or a status that the fetch ends with */
typedef int (*curlicue_resolve)(void* data, const char* from, const char* location, char* url,
                                size_t room);

/** When a request is sent again: idempotent methods, and bodies that are no stream. */
typedef struct curlicue_retry_policy {
    unsigned attempts;   /**< in all; 0: as the client says, and there none but the first */
    long first_ms;       /**< the first pause, twice as long each time, at random; 0: 100 */
    long most_ms;        /**< the longest pause, Retry-After included; 0: 10,000 */
    const int* statuses; /**< null: 408, 425, 429, 500, 502, 503 and 504 */
    size_t status_count;
    double budget; /**< retries for each request of the last 10 s, beside 10; 0: 0.2 */
} curlicue_retry_policy;

enum curlicue_http_version {
    CURLICUE_HTTP_AUTOMATIC, /**< HTTP/2 over TLS where the server has it, else HTTP/1.1 */
    CURLICUE_HTTP_1,
    CURLICUE_HTTP_2,
    CURLICUE_HTTP_3,     /**< or an older one, where the server has none */
    CURLICUE_HTTP_3_ONLY /**< or nothing */
};

/* ---- clients */

/** What several fetches have in common: limits, budgets, a guard; `curlicue::client`. */
typedef struct curlicue_client curlicue_client;

/** A null text is as good as none. *Ownership:* all is copied but `data`. */
typedef struct curlicue_client_options {
    size_t size;
    const char* base;               /**< what a request's URL is relative to */
    const curlicue_header* headers; /**< where a request has none of that name */
    size_t header_count;
    const char* user_agent; /**< null: curlicue/VERSION */
    curlicue_time_limits limits;
    size_t per_origin;   /**< most requests with one server at once; 0: any number */
    size_t at_once;      /**< in all, likewise; what is beyond waits in a queue, by priority */
    size_t most_waiting; /**< one more is CURLICUE_QUEUE_FULL; 0: 65,536 */
    curlicue_redirect_policy redirects;
    curlicue_retry_policy retries;
    size_t most_body;  /**< bytes of a body without a callback; 0: 64 MiB */
    size_t high_water; /**< bytes of a body that wait for a callback; 0: 1 MiB */
    size_t memory;     /**< of all bodies together; 0: no limit */
    enum curlicue_http_version version;
    const char* proxy;
    const char* proxy_user;
    const char* proxy_password;
    const char* no_proxy; /**< CURLOPT_NOPROXY */
    const char* ca_file;  /**< in place of the default authorities */
    const char* certificate;
    const char* key;
    const char* pins;       /**< CURLOPT_PINNEDPUBLICKEY */
    const char* lowest_tls; /**< "1.2", which null is too, or "1.3" */
    const char* hsts;       /**< a file of servers that want TLS alone; "": in memory; null: no */
    const struct curl_slist* resolve; /**< CURLOPT_RESOLVE */
    const char* unix_socket;
    const char* local_address; /**< CURLOPT_INTERFACE */
    /** Asked before each connection, and again before a request goes over one; 0: no, and where no
     *  address is left CURLICUE_ADDRESS_REFUSED. Inside libcurl: it may call nothing here. */
    int (*allow_address)(void* data, const struct sockaddr* address);
    int proxy_is_trusted; /**< not 0: of what the proxy connects to it is not asked */
    void* data;           /**< of callbacks, as long as there are fetches of this client */
    curlicue_resolve resolve_redirect; /**< null: by libcurl's parser */
} curlicue_client_options;

/** An `allow_address`: no loopback, private, link-local or otherwise special address, nor a form
 *  that leads to one. Thread-safe. */
CURLICUE_EXPORT int curlicue_public_addresses_only(void* data, const struct sockaddr* address);

/** @param options null: the defaults. CURLICUE_MALFORMED where they contradict one another
 *  Thread-safe. */
CURLICUE_EXPORT int curlicue_client_new(curlicue_multi* multi,
                                        const curlicue_client_options* options,
                                        curlicue_client** made);
/** No new fetches of this client's; those that are there are cancelled. `closed`, which may be
 *  null, is called when they are over. Thread-safe. */
CURLICUE_EXPORT int curlicue_client_close(curlicue_client* client, void (*closed)(void* data),
                                          void* data);
/** The same, but those that are there may go on for `patience_ms`. Thread-safe. */
CURLICUE_EXPORT int curlicue_client_drain(curlicue_client* client, long patience_ms,
                                          void (*closed)(void* data), void* data);
/** The host is in another network: as `client::network_changed`. Thread-safe. */
CURLICUE_EXPORT int curlicue_client_network_changed(curlicue_client* client);
/** Lets go of it, before or after its multi; its fetches run on. Null is nothing. Thread-safe. */
CURLICUE_EXPORT void curlicue_client_free(curlicue_client* client);

/* ---- what comes of a fetch */

/** A fetch that was asked for. */
typedef struct curlicue_call curlicue_call;

/** What a server has answered. */
typedef struct curlicue_head {
    size_t size;
    int status; /**< of 400 and more, too: that is no failure */
    enum curlicue_http_version version;
    const char* reason;
    const char* url; /**< of the last redirect, without user and password */
    int redirected;
    const char* remote_address; /**< empty if there was no connection */
    const curlicue_header* headers;
    size_t header_count;
} curlicue_head;

/** The first of that name, in whatever case, or null. Thread-safe. */
CURLICUE_EXPORT const char* curlicue_head_get(const curlicue_head* head, const char* name);

/** How far a fetch came. */
enum curlicue_phase {
    CURLICUE_PHASE_NONE, /**< it came to its end, was cancelled, or a callback has ended it */
    CURLICUE_PHASE_URL,  /**< of a redirect */
    CURLICUE_PHASE_QUEUE,
    CURLICUE_PHASE_RESOLVE,
    CURLICUE_PHASE_CONNECT,
    CURLICUE_PHASE_TLS,
    CURLICUE_PHASE_SEND,
    CURLICUE_PHASE_HEADERS,
    CURLICUE_PHASE_BODY
};

/** Which of the time limits was over. */
enum curlicue_time_limit {
    CURLICUE_LIMIT_NONE,
    CURLICUE_LIMIT_QUEUE,
    CURLICUE_LIMIT_CONNECT,
    CURLICUE_LIMIT_FIRST_BYTE,
    CURLICUE_LIMIT_STALL,
    CURLICUE_LIMIT_TOTAL
};

/** How a fetch ended. */
typedef struct curlicue_outcome {
    size_t size;
    int status; /**< 0, though the answer has an error status of its own */
    const char* message;
    enum curlicue_phase phase;      /**< where it has failed */
    enum curlicue_time_limit limit; /**< where `status` is CURLICUE_TIMED_OUT */
    unsigned attempts;              /**< how often it was tried; 0: that is not known */
    const curlicue_head* head;      /**< null if there was none */
    const char* body;               /**< all of it, and a NUL, where there is no callback for it */
    size_t body_size;
    /** What lies behind `status`, as a status, if that is known: of a connection that failed what
     *  the system says (UV_E…), and the CURLcode of what is one of ours. Else 0. */
    int cause;
} curlicue_outcome;

/* ---- requests */

/** All but `url` and `on_done` may be 0. *Ownership:* all is copied but `data`, which is yours
 * again when `on_done` is called: that comes once, whatever happens, and nothing after it.
 *
 *  Callbacks that return an `int` return 0, or a status that the fetch ends with. What they are
 *  given is valid inside. */
typedef struct curlicue_request {
    size_t size;
    const char* url;    /**< relative to the client's `base` where there is one */
    const char* method; /**< null: GET, or POST with a body */
    const curlicue_header* headers;
    size_t header_count;

    const void* body;      /**< sent as it is; of this and the next two there is one at the most */
    const char* body_file; /**< a path; read while it is sent */
    /** The next bytes of the body, when the server takes more. `*count`: how many; 0 is the end.
     *  CURLICUE_AGAIN: none yet; it is asked again after `curlicue_fetch_more`. */
    int (*read)(void* data, curlicue_call* call, char* into, size_t room, size_t* count);
    curl_off_t body_size; /**< of `body`; of what `read` gives, if it is known, or 0 */

    curlicue_time_limits limits;
    curlicue_redirect_policy redirects;
    curlicue_retry_policy retries;
    size_t most_body; /**< bytes of a body without a callback; 0: the client's */
    int priority;     /**< in the queue of its server; higher goes first */
    int encoded;      /**< not 0: the body is neither asked for compressed nor decoded */

    /** Called last, before it starts: the door to every option of libcurl. For redirects to another
     *  server only if `tweak_all_hops` is not 0. */
    int (*tweak)(void* data, curlicue_call* call, CURL* handle);
    int tweak_all_hops;

    /** The final one. */
    int (*on_head)(void* data, curlicue_call* call, const curlicue_head* head);
    /** A piece of the body, decoded. Null: `on_done` has the whole. */
    int (*on_body)(void* data, curlicue_call* call, const char* bytes, size_t size);
    void (*on_done)(void* data, curlicue_call* call, const curlicue_outcome* outcome);
    void* data;

    size_t high_water; /**< bytes of a body that wait for `on_body`; 0: the client's */
    int no_keep_alive; /**< not 0: the server is told that this is the connection's last */
    /** Asked besides the client's, as that one is. */
    int (*allow_address)(void* data, const struct sockaddr* address);
    /** Null: as the client says. With it `redirects` are this request's own. */
    curlicue_resolve resolve_redirect;
} curlicue_request;

/** Fetches. What is malformed is refused here, with CURLICUE_MALFORMED: `curlicue_last_refusal`
 *  tells why. Thread-safe.
 *  @param client null: one with the defaults, which all of the multi's fetches share; any other is
 *      of that multi
 *  @param call may be null. It is there before the first callback, and null if this does not return
 *      0. *Ownership:* the caller's, for `curlicue_fetch_free`
 */
CURLICUE_EXPORT int curlicue_fetch(curlicue_multi* multi, curlicue_client* client,
                                   const curlicue_request* request, curlicue_call** call);

/* These three are thread-safe, for every call that is not freed. Of a fetch that is over, or
   cancelled, they return CURLICUE_NOT_ADDED. */

/** `on_body` is not called until `curlicue_fetch_resume`, and the server has to wait once
 *  `high_water` bytes are here. For a fetch without `on_body` it is nothing. */
CURLICUE_EXPORT int curlicue_fetch_pause(curlicue_call* call);
CURLICUE_EXPORT int curlicue_fetch_resume(curlicue_call* call);
/** Ends it; `on_done` is told CURLICUE_CANCELLED. On the loop's thread no other callback comes from
 *  now on. */
CURLICUE_EXPORT int curlicue_fetch_cancel(curlicue_call* call);

/** After a `read` that had nothing: it has something again. Before it, `read` is asked once more at
 *  once. Thread-safe. */
CURLICUE_EXPORT int curlicue_fetch_more(curlicue_call* call);

/** Lets go of the call, at any time, inside a callback too; the fetch runs on, and `on_done` comes.
 *  Null is nothing. Thread-safe. */
CURLICUE_EXPORT void curlicue_fetch_free(curlicue_call* call);

#ifdef __cplusplus
}
#endif

#endif
