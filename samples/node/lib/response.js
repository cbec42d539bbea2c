// SPDX-License-Identifier: MIT
'use strict';

const { restLater } = require('./memory.js');

/**
 * What a server answered. The body comes once, in whichever form it is asked for: as a whole, as a
 * web stream, or by `for await`; the transfer waits while nobody reads.
 */
class Response {
    #transfer;
    #told;
    #headers;
    #body;
    #used = false;
    #maxBodySize;

    constructor(transfer, status, maxBodySize) {
        this.#transfer = transfer;
        this.status = status;
        this.#maxBodySize = maxBodySize;
    }

    get ok() {
        return this.status >= 200 && this.status < 300;
    }

    get statusText() {
        return this.#head.statusText;
    }

    get httpVersion() {
        return this.#head.httpVersion;
    }

    get url() {
        return this.#head.url;
    }

    get redirected() {
        return this.#head.redirected;
    }

    get headers() {
        if (this.#headers)
            return this.#headers;
        const parts = this.#transfer.headers().split('\n');
        this.#headers = new Headers();
        for (let at = 0; at + 1 < parts.length; at += 2)
            this.#headers.append(parts[at], parts[at + 1]);
        return this.#headers;
    }

    get bodyUsed() {
        return this.#used;
    }

    /** @type {ReadableStream<Uint8Array>} */
    get body() {
        return this.#body ??= this.#stream();
    }

    async text() {
        return this.#whole(true);
    }

    async bytes() {
        return this.#whole(false);
    }

    async arrayBuffer() {
        return (await this.#whole(false)).buffer;
    }

    async json() {
        return JSON.parse(await this.#whole(true));
    }

    async *[Symbol.asyncIterator]() {
        this.#use();
        let ended = false;
        try {
            for (let chunk; (chunk = await this.#transfer.read()) !== undefined;)
                yield chunk;
            ended = true;
        } finally {
            if (!ended)
                this.#transfer.cancel(new DOMException('The body is not read on', 'AbortError'));
        }
    }

    /** Ends the transfer. What is read later is rejected with `reason`. */
    cancel(reason = new DOMException('The response was cancelled', 'AbortError')) {
        this.#used = true;
        this.#transfer.cancel(reason);
    }

    get #head() {
        return this.#told ??= this.#transfer.head();
    }

    #use() {
        if (this.#used)
            throw new TypeError('the body has been read, or is being read');
        this.#used = true;
    }

    async #whole(asText) {
        this.#use();
        restLater();
        try {
            return await this.#transfer.readAll(asText, this.#maxBodySize);
        } catch (error) {
            this.#transfer.cancel(error);
            throw error;
        }
    }

    #stream() {
        const chunks = this[Symbol.asyncIterator]();
        return new ReadableStream({
            type: 'bytes',
            pull: async (controller) => {
                const { done, value } = await chunks.next();
                if (!done)
                    return controller.enqueue(value);
                controller.close();
                controller.byobRequest?.respond(0);
            },
            cancel: async (reason) => {
                this.cancel(reason);
                await chunks.return();
            },
        }, { highWaterMark: 0 });
    }
}

module.exports = { Response };
