// SPDX-License-Identifier: MIT
'use strict';

/** The transfers that one signal ends. However many they are, it has one listener, and keeps none of them. */
class Followers {
    #signal;
    #transfers = new Set();
    #cancel = () => {
        for (const transfer of this.#transfers)
            transfer.deref()?.cancel(this.#signal.reason);
    };

    constructor(signal) {
        this.#signal = signal;
    }

    add(transfer) {
        if (this.#transfers.size === 0)
            this.#signal.addEventListener('abort', this.#cancel);
        this.#transfers.add(transfer);
    }

    delete(transfer) {
        if (this.#transfers.delete(transfer) && this.#transfers.size === 0)
            this.#signal.removeEventListener('abort', this.#cancel);
    }
}

const known = new WeakMap(); // by their signal

/**
 * Cancels a transfer when `signal` says so.
 * @returns what makes it stop listening
 */
function cancelOn(signal, transfer) {
    const followers = known.get(signal) ?? new Followers(signal);
    const follower = new WeakRef(transfer);
    known.set(signal, followers);
    followers.add(follower);
    return () => followers.delete(follower);
}

module.exports = { cancelOn };
