/* SPDX-License-Identifier: MIT */
/** @file
 * curlicue for C, and for what binds other languages: transfers of libcurl's on a libuv loop that
 * is yours. Handles are opaque, nothing is thrown, and what stands here only grows.
 *
 * `curlicue_fetch`, in fetch.h, is the one call that most need. Below it, transfers are `CURL*`:
 * your own, on which nothing is set unasked, or those of a `curlicue_easy`, whose connections cost
 * fewer system calls. They are set up and asked with curl_easy_setopt() and curl_easy_getinfo(),
 * which keep nothing alive: what they point to is yours until the transfer is over.
 *
 * *Status:* what functions return and callbacks are given. 0 is success; a negative number is
 * libuv's (UV_E…); one below 1000 a CURLcode; from CURLICUE_MULTI_STATUS on a CURLMcode added to
 * it; from CURLICUE_OWN_STATUS on one of `enum curlicue_status`. A function that did not return 0
 * has changed nothing.
 *
 * *Structs* that can grow begin with their `size`: `sizeof`, in the caller. What a caller does not
 * know, who was compiled with an older version, is as if it were 0; what a caller knows and we do
 * not has to be 0, or the call is refused.
 *
 * *Threads:* **loop-bound** where nothing else is said: on the thread that runs the loop, or any
 * while it does not run. A call elsewhere is CURLICUE_WRONG_THREAD.
 *
 * *Callbacks* run on the loop's thread, with nothing of libcurl's on the stack, never inside the
 * call that asked for them, and may call everything here.
 */
#ifndef CURLICUE_H
#define CURLICUE_H

#include <curlicue/detail/export.hpp>

#include <curl/curl.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

/* Not of an enumeration: a CURLMcode is added to it. */
#define CURLICUE_MULTI_STATUS 1000
#define CURLICUE_OWN_STATUS 2000

/** What curlicue itself has to say; `curlicue::errc` in C++. */
enum curlicue_status {
    CURLICUE_OK = 0,
    CURLICUE_CLOSED = 2001,           /**< the multi is closed */
    CURLICUE_ALREADY_ADDED = 2002,    /**< the handle is added, here or elsewhere */
    CURLICUE_NOT_ADDED = 2003,        /**< the handle is not added here, or its transfer is over */
    CURLICUE_ATTACHED = 2004,         /**< not while the handle is added */
    CURLICUE_NULL_HANDLE = 2006,      /**< a null argument where there must be one */
    CURLICUE_WRONG_THREAD = 2009,     /**< loop-bound, and this is not the loop's thread */
    CURLICUE_INSIDE_CALLBACK = 2010,  /**< not from inside a callback of libcurl's */
    CURLICUE_FORKED = 2016,           /**< made before this process forked */
    CURLICUE_TOO_OLD = 2017,          /**< the libcurl at hand cannot do it */
    CURLICUE_CANCELLED = 2019,        /**< the transfer was removed, or its multi closed */
    CURLICUE_TIMED_OUT = 2020,        /**< a time limit of a fetch is over; `limit` tells which */
    CURLICUE_WOULD_BLOCK = 2021,      /**< a protocol that would stop the loop: `refuse_blocking` */
    CURLICUE_REDIRECT_REFUSED = 2023, /**< one too many, or to where it may not go */
    CURLICUE_TOO_LARGE = 2024,        /**< a body or a head is longer than it may be */
    CURLICUE_QUEUE_FULL = 2025,       /**< more fetches wait than may */
    CURLICUE_ADDRESS_REFUSED = 2026,  /**< `allow_address` refused every address of the server */
    CURLICUE_RETRIES_EXHAUSTED =
        2027,                   /**< every attempt failed; the message has the last failure */
    CURLICUE_BAD_OPTION = 2100, /**< an option that is not for the user to set */
    CURLICUE_FAILED = 2101,     /**< what has no number of its own; the message tells */
    CURLICUE_MALFORMED = 2102,  /**< a struct has in it what it must not */
    CURLICUE_AGAIN = 2103       /**< a callback's: nothing to read yet */
};

/** A status in words. @returns a string of this thread's, valid until its next call. Thread-safe.
 */
CURLICUE_EXPORT const char* curlicue_strerror(int status);
/** Why the last call on this thread that did not return 0 was refused, in more words than its
 * status has. @returns a string of this thread's, valid until the next such call. Thread-safe. */
CURLICUE_EXPORT const char* curlicue_last_refusal(void);
/** "0.1.0". Thread-safe. */
CURLICUE_EXPORT const char* curlicue_version(void);

/* ---- multis */

/** Runs transfers on one loop; `curlicue::async_multi`. */
typedef struct curlicue_multi curlicue_multi;

/** Whether a multi keeps its loop alive. Hosts that end by uv_stop() and run the loop once more as
 * they close (uvloop, gevent) want CURLICUE_HOLD_NEVER, or that waits for the transfers. */
enum curlicue_hold {
    CURLICUE_HOLD_WHILE_BUSY, /**< while a transfer is pending */
    CURLICUE_HOLD_ALWAYS,
    CURLICUE_HOLD_NEVER
};

/** All but `size` may be 0. */
typedef struct curlicue_options {
    size_t size;
    enum curlicue_hold hold;
    /** Called around every entry from the loop, for hosts that keep scopes of their own. */
    void* (*enter)(void* arg);
    void (*leave)(void* arg, void* token);
    void* arg;     /**< of these two */
    size_t shards; /**< most multi handles of libcurl's behind this one; 0: as many as help */
    int ca_cache;  /**< not 0: as in C++, for the easies of C++; in C `curlicue_easy_ca_cache` */
    long heartbeat_ms;   /**< libcurl is called after so long without a call; 0 or less: never */
    int refuse_blocking; /**< not 0: CURLICUE_WOULD_BLOCK for telnet, file and rtmp, for which
                              libcurl stops the loop */
} curlicue_options;

/** The defaults. Thread-safe. */
CURLICUE_EXPORT void curlicue_options_init(curlicue_options* options);

/** @param loop stays yours, and must not be closed before the multi
 *  @param options null: the defaults
 *  @param made null where this does not return 0
 */
CURLICUE_EXPORT int curlicue_multi_new(struct uv_loop_s* loop, const curlicue_options* options,
                                       curlicue_multi** made);
/** A CURLMOPT that takes a number. Sockets, timer, notifications and server push are not yours:
 *  CURLICUE_BAD_OPTION. */
CURLICUE_EXPORT int curlicue_multi_setopt(curlicue_multi* multi, CURLMoption option,
                                          curl_off_t value);

/** Told once, when libcurl has let go of the handle: it may be read, added again or cleaned up.
 *  @param status 0, though the reply has an error status (HTTP 404) of its own
 *  @param message more than `curlicue_strerror` knows, or the same; valid inside
 */
typedef void (*curlicue_done)(void* data, CURL* handle, int status, const char* message);

/** Starts a transfer. *Ownership:* the handle stays the caller's, who must not clean it up before
 *  `done`. If this does not return 0 there will be no `done`. Thread-safe. */
CURLICUE_EXPORT int curlicue_multi_add(curlicue_multi* multi, CURL* handle, curlicue_done done,
                                       void* data);
/** Ends a transfer; `done` is told CURLICUE_CANCELLED. */
CURLICUE_EXPORT int curlicue_multi_remove(curlicue_multi* multi, CURL* handle);
/** Inside a callback of libcurl's it applies when libcurl has returned; of a transfer that is over
 *  it is nothing.
 *  @param bitmask CURLPAUSE_RECV, CURLPAUSE_SEND, CURLPAUSE_ALL or CURLPAUSE_CONT */
CURLICUE_EXPORT int curlicue_multi_pause(curlicue_multi* multi, CURL* handle, int bitmask);
/** How many handles are added. Thread-safe. */
CURLICUE_EXPORT size_t curlicue_multi_size(const curlicue_multi* multi);

/** Runs `call(data)` on the loop's thread. Of those that a close overtakes there is none. Does not
 *  keep the loop alive: `curlicue_multi_ref`. Thread-safe. */
CURLICUE_EXPORT int curlicue_multi_post(curlicue_multi* multi, void (*call)(void* data),
                                        void* data);
/** As CURLICUE_HOLD_ALWAYS, and back. */
CURLICUE_EXPORT int curlicue_multi_ref(curlicue_multi* multi);
CURLICUE_EXPORT int curlicue_multi_unref(curlicue_multi* multi);

/** No new work; transfers are cancelled. `closed`, which may be null, is called after the last
 * close callback of libuv's: from then on nothing of ours is on the loop. Idempotent. Thread-safe.
 */
CURLICUE_EXPORT int curlicue_multi_close(curlicue_multi* multi, void (*closed)(void* data),
                                         void* data);
/** No new work from outside; closes when what runs is over, or after `patience_ms`, from when on it
 *  is cancelled. What its callbacks add in the meantime is taken. Freed before `closed` is called
 * it closes at once. Thread-safe. */
CURLICUE_EXPORT int curlicue_multi_drain(curlicue_multi* multi, long patience_ms,
                                         void (*closed)(void* data), void* data);
/** Frees it, and closes it if nobody has: what is left on the loop goes when that next runs. Null
 * is nothing. Thread-safe, but for others that use it still. */
CURLICUE_EXPORT void curlicue_multi_free(curlicue_multi* multi);

/** The versions found, and what is done differently for their sake, for a person to read.
 *  @param text filled as snprintf() does, null for `size` 0
 *  @returns how long all of it is; a negative number: a status of libuv's, or one of these negated
 */
CURLICUE_EXPORT int curlicue_multi_diagnostics(const curlicue_multi* multi, char* text,
                                               size_t size);

/* ---- handles of ours */

/** A `CURL*` that curlicue owns, on which some options are set from the start:
 *
 *  - CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION, so that connections stay
 * registered with the kernel between two transfers
 *  - CURLOPT_NOSIGNAL and CURLOPT_QUICK_EXIT, which are for programs with threads
 *  - CURLOPT_READDATA, a file that ends at once: libcurl's own is the standard input, and the loop
 *    would wait for that where a POST or an upload has no body
 *
 *  What you set with curl_easy_setopt() stays as it is: curlicue cannot see it, and so sets nothing
 *  later. Only CURLOPT_CLOSESOCKETFUNCTION and CURLOPT_ERRORBUFFER are not yours. After
 *  CURLE_SEND_FAIL_REWIND make a new one: libcurl 8.7 to 8.15 fails so for ever. */
typedef struct curlicue_easy curlicue_easy;

/** Thread-safe. */
CURLICUE_EXPORT int curlicue_easy_new(curlicue_easy** made);
/** *Ownership:* the easy's; not for curl_easy_cleanup(). */
CURLICUE_EXPORT CURL* curlicue_easy_handle(const curlicue_easy* easy);
/** curl_easy_reset(), and what it has from the start is set again. */
CURLICUE_EXPORT int curlicue_easy_reset(curlicue_easy* easy);
/** CA certificates from libcurl's default file alone, without the default directory, which a multi
 *  parses once and not for each connection. Before you set CURLOPT_CAINFO or CURLOPT_CAPATH. */
CURLICUE_EXPORT int curlicue_easy_ca_cache(curlicue_easy* easy);
/** While it is added the multi keeps it. Null is nothing. */
CURLICUE_EXPORT void curlicue_easy_free(curlicue_easy* easy);

/* ---- a loop of its own */

/** A loop on a thread of its own, with a multi: for programs that have none. Callbacks run there.
 */
typedef struct curlicue_thread curlicue_thread;

/** Thread-safe. */
CURLICUE_EXPORT int curlicue_thread_new(const curlicue_options* options, curlicue_thread** made);
/** *Ownership:* the thread's; not for `curlicue_multi_free`. */
CURLICUE_EXPORT curlicue_multi* curlicue_thread_multi(curlicue_thread* thread);
/** Cancels what is pending and joins the thread; on that thread itself it ends the program. Null is
 *  nothing. */
CURLICUE_EXPORT void curlicue_thread_free(curlicue_thread* thread);

#ifdef __cplusplus
}
#endif

#include <curlicue/fetch.h>

#endif
