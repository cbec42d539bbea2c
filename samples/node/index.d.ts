// SPDX-License-Identifier: MIT

/** How far a transfer came that failed. */
export type Phase = 'url' | 'queue' | 'resolve' | 'connect' | 'tls' | 'send' | 'headers' | 'body';

/**
 * A transfer that failed, or a call that libcurl or curlicue refused. The message has nothing of the
 * URL's, nor of a header's.
 */
export class CurlError extends Error {
    name: 'CurlError';
    /** `CURLE_COULDNT_CONNECT` and the like; `CURLICUE_CLOSED` and the like for what is ours. */
    code: string;
    /** libcurl's number of it. */
    errno?: number;
    /** Of a transfer. */
    phase?: Phase;
    /** Which time was over, of `CURLE_OPERATION_TIMEDOUT`. */
    limit?: 'queue' | 'connect' | 'firstByte' | 'stall' | 'total';
    /** How often it was tried, if more than once. */
    attempts?: number;
    /**
     * What the system said, where it did: `cause.code` is `ECONNREFUSED` and the like. Of
     * `CURLICUE_RETRIES_EXHAUSTED` the last failure.
     */
    cause?: NodeJS.ErrnoException | CurlError;
}

type Bytes = ArrayBuffer | NodeJS.ArrayBufferView;
type Pieces = Iterable<string | Bytes> | AsyncIterable<string | Bytes>;

/** When a request is sent again. */
export interface Retry {
    /** In all; default 1. */
    attempts?: number;
    /**
     * Milliseconds: before the n-th retry it waits up to `first` * 2^(n-1), and no more than `most`, at
     * random; as long as a Retry-After says, if that is no more. Default 100 and 10 000.
     */
    first?: number;
    most?: number;
    /** Of responses that are no answer; default 408, 425, 429, 500, 502, 503, 504. */
    statuses?: Iterable<number>;
    /** A server has no more than 10 retries, and this many for each request, in 10 s; default 0.2. */
    budget?: number;
}

/** What a Client has of its own for all of its requests. */
export interface RequestOptions {
    /** Default 10. */
    maxRedirects?: number;
    /** Another server gets no headers but Accept, Accept-Language, Content-Type and User-Agent. */
    redirect?: 'follow' | 'manual' | 'error';
    /** Bytes, decoded, of a body that is read as a whole; default 64 MiB. Streams have no limit. */
    maxBodySize?: number;
    /** Bytes that may wait here until they are read; default 1 MiB. */
    highWaterMark?: number;
    /**
     * Milliseconds for everything, the body, retries and the queue included; default 0. For this and the
     * next four, 0 and Infinity are no limit.
     */
    timeout?: number;
    /** Milliseconds until a connection stands; default 30 000. */
    connectTimeout?: number;
    /** Milliseconds from the end of the request to the head of the response; default `stallTimeout`. */
    firstByteTimeout?: number;
    /** Milliseconds without a byte; default 300 000. Not while nobody reads. */
    stallTimeout?: number;
    /** Milliseconds in the queue of a Client; default 0. */
    queueTimeout?: number;
    /** In the queue; higher goes first. Default 0. */
    priority?: number;
    /**
     * A number is one of attempts. Only what may be sent twice is: GET, HEAD, OPTIONS, PUT and DELETE
     * without a body or with a string or bytes, and what was not sent at all.
     */
    retry?: number | Retry;
    /**
     * Called before each connection, and again before a request is sent over one; what does not return
     * `true` is refused, with `CURLICUE_ADDRESS_REFUSED`. 'public' allows no loopback, private, link-local
     * or otherwise special address, nor a form that leads to one.
     */
    allowAddress?: 'public' | ((address: string, family: 4 | 6) => boolean);
    /**
     * Any option of libcurl, set before the transfer begins; also those that the guard has set. Called for
     * each redirect and retry as well, until one leads to another server: what it sets may be secret.
     */
    tweak?(curl: Curl, url: string): void;
    /** `tweak` is called for redirects to other servers too; its second argument says where they lead. */
    tweakAllHops?: boolean;
    /**
     * Where the message ends is fetch's own to say: Transfer-Encoding, Keep-Alive, Upgrade, TE, Trailer,
     * Expect and Proxy-… are a TypeError, and Connection may be `close` or `keep-alive`. A Content-Length
     * must be the body's; that of an iterable is its size, which it is then sent with instead of in chunks.
     */
    headers?: Headers | Record<string, string> | Iterable<readonly [string, string]>;
}

export interface FetchOptions extends RequestOptions {
    /** Default GET. CONNECT, TRACE and TRACK are a TypeError. */
    method?: string;
    /**
     * Not with GET and HEAD. An iterable is asked for no more than the server takes; if the transfer ends
     * before, it is told at once and why, by ReadableStream's `cancel`, Readable's `destroy` or an iterator's
     * `return`.
     */
    body?: string | Bytes | URLSearchParams | FormData | Blob | Pieces | null;
    /** Ends the transfer, whatever it is at, with the signal's reason. */
    signal?: AbortSignal;
    /** Default: one for all, made when it is needed. */
    multi?: AsyncCurlMulti;
}

/**
 * Asks a server, and resolves when the head of its response is there; an error status is a response
 * too. http and https only; the server is verified; no proxy, cookies or .netrc unless `tweak` says
 * so. The URL is read as `new URL` does; its user and password go to that server alone. A Request
 * gives its method, headers, body, signal and redirect where the options do not.
 * @throws CurlError; TypeError for what cannot be sent; what `signal` says; what an iterable `body` throws
 */
export function fetch(input: string | URL | Request, options?: FetchOptions): Promise<Response>;

export interface ClientOptions extends RequestOptions {
    /** Default: that of `fetch`. */
    multi?: AsyncCurlMulti;
    /**
     * How many requests it may have with libcurl at once, unread bodies included; 0, the default, is no
     * limit. The rest wait, no more than `queue` of them, 65 536 by default: fair between servers, at each
     * by `priority`.
     */
    limits?: { perOrigin?: number; total?: number; queue?: number };
    /** Bytes of all its bodies together that may wait here; default 0, which is no limit. */
    memory?: number;
}

/** Fetches with options of its own, which give way to those of a request, and limits for all. */
export class Client {
    constructor(options?: ClientOptions);
    fetch(input: string | URL | Request, options?: Omit<FetchOptions, 'multi'>): Promise<Response>;
    /** Counts since the beginning, but for the first three, which are as of now. */
    stats(): {
        running: number; queued: number; queuedByOrigin: Record<string, number>; requests: number;
        retried: number; redirected: number; refused: number; bytes: number;
    };
    /** Cancels what is pending, and takes no more. Its multi stays open. */
    close(): Promise<void>;
}

/** The body comes once, in whichever form. The transfer waits while nobody reads. */
export class Response implements AsyncIterable<Uint8Array> {
    private constructor();
    readonly status: number;
    readonly statusText: string;
    readonly ok: boolean;
    readonly headers: Headers;
    /** '1.1', '2' or '3'. */
    readonly httpVersion: string;
    /** Of the last redirect, if any; without user, password and fragment. */
    readonly url: string;
    readonly redirected: boolean;
    readonly bodyUsed: boolean;
    readonly body: ReadableStream<Uint8Array>;
    text(): Promise<string>;
    json(): Promise<unknown>;
    bytes(): Promise<Uint8Array>;
    arrayBuffer(): Promise<ArrayBuffer>;
    [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined>;
    /** Ends the transfer; what is read later is rejected with `reason`, by default an AbortError. */
    cancel(reason?: unknown): void;
}

/** An option by its name, with or without CURLOPT_, or its number. */
export type Option = string | number;
export type OptionValue = string | number | boolean | string[] | Bytes | null;

/**
 * A transfer: libcurl's easy handle, under the names of PycURL's Curl. While it is added, setopt,
 * unset, reset and perform throw CURLICUE_ATTACHED. The one that `tweak` is given may be asked after
 * its fetch, but transfers nothing else: perform and add_handle throw CURLICUE_BORROWED.
 */
export class Curl {
    constructor(url?: string);
    /** @returns how many bytes it took, by default all; WRITEFUNC_PAUSE */
    setopt(option: 'WRITEFUNCTION', called: (chunk: Uint8Array) => number | void): this;
    setopt(option: 'HEADERFUNCTION', called: (line: string) => number | void): this;
    /** @returns at the most `size` bytes; null at the end; READFUNC_PAUSE, READFUNC_ABORT */
    setopt(option: 'READFUNCTION', called: (size: number) => Bytes | string | number | null | void): this;
    setopt(option: 'SEEKFUNCTION', called: (offset: number, origin: number) => number | void): this;
    /** @returns 1 to end the transfer. NOPROGRESS is switched off. */
    setopt(option: 'XFERINFOFUNCTION', called: (downloadTotal: number, downloaded: number,
        uploadTotal: number, uploaded: number) => number | void): this;
    setopt(option: 'DEBUGFUNCTION', called: (type: number, data: Uint8Array) => void): this;
    /**
     * What a function throws is what `perform` is rejected with, and a TypeError where it returns
     * anything else than it may.
     * @throws CurlError if libcurl refuses; TypeError for a value of the wrong type
     */
    setopt(option: Option, value: OptionValue): this;
    /** Back to libcurl's own default. */
    unset(option: Option): this;
    /** By libcurl's name, with or without CURLINFO_; times are microseconds. */
    getinfo(info: string): number | string | string[] | null;
    /** Now, and everything else waits; AsyncCurlMulti.perform is what you want. */
    perform(): this;
    /** @param bitmask PAUSE_RECV, PAUSE_SEND, PAUSE_ALL or PAUSE_CONT */
    pause(bitmask: number): this;
    unpause(): this;
    /** All options back to their defaults. */
    reset(): this;
    /** What went wrong last, in libcurl's own words. */
    errstr(): string;
    close(): void;
    readonly closed: boolean;
}

export interface MultiOptions {
    /** One parsed set of CA certificates for all connections; default false, true for fetch's own. */
    caCache?: boolean;
    /** How many multi handles of libcurl's there may be; default up to 64. */
    shards?: number;
    /** Milliseconds after which libcurl is called although it asked for nothing; default 500, 0 for never. */
    heartbeat?: number;
    /** Refuses telnet, file and rtmp, for which libcurl would stop Node's loop; default false. */
    refuseBlocking?: boolean;
}

/** Runs transfers on Node's loop, under the names of PycURL's AsyncCurlMulti. */
export class AsyncCurlMulti {
    constructor(options?: MultiOptions);
    /** Starts a transfer and resolves with its handle; an error status is a success. */
    add_handle(curl: Curl): Promise<Curl>;
    /** The same, under the name that reads well with `await`. */
    perform(curl: Curl): Promise<Curl>;
    /** Its promise is rejected with CURLICUE_CANCELLED. */
    remove_handle(curl: Curl): void;
    contains(curl: Curl): boolean;
    /** How many handles are added, those of fetch included. */
    readonly size: number;
    /** A CURLMOPT_… that takes a number, by its number. */
    setopt(option: number, value: number): void;
    /** Cancels what is pending, and resolves when nothing of it is left on the loop. */
    close(): Promise<void>;
    /** No new work; closes when the running transfers are over, or `patience` milliseconds are. */
    drain(patience: number): Promise<void>;
    readonly closed: boolean;
    /** A pending transfer keeps the process, as at the beginning. */
    ref(): this;
    /** No transfer keeps the process. */
    unref(): this;
    /** Counts, and times in milliseconds. */
    stats(): Record<string, number>;
    /** The versions found, and what is done differently for their sake. */
    diagnostics(): string;
}

/** The numbers of all options of the libcurl at hand, by their names without CURLOPT_. */
export const options: Readonly<Record<string, number>>;
export const curlVersion: string;
export const PAUSE_RECV: 1;
export const PAUSE_SEND: 4;
export const PAUSE_ALL: 5;
export const PAUSE_CONT: 0;
export const WRITEFUNC_PAUSE: 0x10000001;
export const READFUNC_PAUSE: 0x10000001;
export const READFUNC_ABORT: 0x10000000;
