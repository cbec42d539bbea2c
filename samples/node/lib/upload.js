// SPDX-License-Identifier: MIT
'use strict';

const { Readable } = require('node:stream');

const ignore = () => {};

/** How a source brings its pieces, and how it is told that no more are wanted. */
function piecesOf(source) {
    if (source instanceof ReadableStream) {
        const reader = source.getReader();
        return { next: () => reader.read(), stop: (reason) => reader.cancel(reason) };
    }
    const iterator = (source[Symbol.asyncIterator] ?? source[Symbol.iterator]).call(source);
    const stop = (reason) => {
        if (source instanceof Readable) // its iterator hears of it after the next piece, if there is one
            source.on('error', ignore).destroy(reason);
        return iterator.return?.(reason);
    };
    return { next: () => iterator.next(), stop };
}

function sizeOf(piece) {
    const size = typeof piece === 'string' ? Buffer.byteLength(piece) : piece?.byteLength;
    if (typeof size !== 'number')
        throw new TypeError('what is uploaded must be strings, ArrayBuffers or views of them');
    return size;
}

function copyOf(piece) {
    if (typeof piece === 'string')
        return piece;
    return new Uint8Array(piece.buffer ?? piece, piece.byteOffset, piece.byteLength).slice();
}

/**
 * The same pieces, if they come to `size` bytes. The one that completes it waits until nothing
 * follows: the server gets less than it was told of, which is no request, rather than too much, which is
 * two.
 */
async function* exactly(size, pieces) {
    let left = size, last;
    for await (const piece of pieces) {
        const more = sizeOf(piece);
        left -= more;
        if (left < 0)
            throw new TypeError('the body is longer than its content-length');
        if (left !== 0)
            yield piece;
        else if (more !== 0)
            last = copyOf(piece); // whose memory may be used again
    }
    if (left !== 0)
        throw new TypeError('the body is shorter than its content-length');
    if (last !== undefined)
        yield last;
}

/** Writes what a source brings, no faster than it goes out, and tells it if the transfer ends before. */
class Upload {
    #pieces;
    #size;
    #ended = false;

    /** @param size in bytes, if it is known */
    constructor(source, size) {
        this.#pieces = piecesOf(source);
        this.#size = size;
    }

    /** What the source throws, or a size that is another, is what the transfer fails with. */
    async send(transfer) {
        try {
            const pieces = this.#brought();
            for await (const piece of this.#size === undefined ? pieces : exactly(this.#size, pieces))
                if (!await transfer.write(piece))
                    return;
            transfer.end();
        } catch (error) {
            transfer.cancel(error);
        }
    }

    /** The transfer is over, or will not be. */
    async stop(reason = new DOMException('The transfer is over', 'AbortError')) {
        if (this.#ended)
            return;
        this.#ended = true;
        try {
            await this.#pieces.stop(reason);
        } catch {
            // It is its own affair.
        }
    }

    async *#brought() {
        for (;;) {
            const { done, value } = await this.#next();
            if (done)
                return;
            yield value;
        }
    }

    async #next() {
        try {
            const { done, value } = await this.#pieces.next();
            this.#ended ||= done;
            return { done, value: await value };
        } catch (error) {
            this.#ended = true;
            throw error;
        }
    }
}

module.exports = { Upload };
