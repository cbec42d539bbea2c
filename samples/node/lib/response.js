// SPDX-License-Identifier: MIT
'use strict';

/** The pairs of a head that came over the wire. */
function* pairsOf(head) {
    for (const line of head.split('\r\n').slice(1)) {
        const colon = line.indexOf(':');
        if (colon > 0)
            yield [line.slice(0, colon), line.slice(colon + 1).trim()];
    }
}

/**
 * What a server answered. The body comes once, in whichever form it is asked for: as a whole, as a
 * web stream, or by `for await`; the transfer waits while nobody reads.
 */
class Response {
    #transfer;
    #head;
    #headers;
    #body;
    #used = false;
    #settled;
    #maxBodySize;

    /** @param settled called once nothing more will come, or be wanted */
    constructor(transfer, head, { url, redirected, maxBodySize }, settled) {
        this.#transfer = transfer;
        this.#head = head;
        const blank = head.indexOf(' ');
        this.httpVersion = head.slice('HTTP/'.length, blank);
        this.status = Number(head.slice(blank + 1, blank + 4));
        this.url = url;
        this.redirected = redirected;
        this.#maxBodySize = maxBodySize;
        this.#settled = settled;
    }

    get ok() {
        return this.status >= 200 && this.status < 300;
    }

    get statusText() {
        return this.#head.slice(this.#head.indexOf(' ') + 5, this.#head.indexOf('\r'));
    }

    get headers() {
        return this.#headers ??= new Headers([...pairsOf(this.#head)]);
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
            this.#end(ended ? undefined : new DOMException('The body is not read on', 'AbortError'));
        }
    }

    /** Ends the transfer. What is read later is rejected with `reason`. */
    cancel(reason = new DOMException('The response was cancelled', 'AbortError')) {
        this.#used = true;
        this.#end(reason);
    }

    #use() {
        if (this.#used)
            throw new TypeError('the body has been read, or is being read');
        this.#used = true;
    }

    #end(reason) {
        if (reason !== undefined)
            this.#transfer.cancel(reason);
        this.#settled?.();
    }

    async #whole(asText) {
        this.#use();
        try {
            return await this.#transfer.readAll(asText, this.#maxBodySize);
        } catch (error) {
            this.#transfer.cancel(error);
            throw error;
        } finally {
            this.#settled?.();
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
