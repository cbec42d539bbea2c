// SPDX-License-Identifier: MIT
'use strict';

const forgotten = new FinalizationRegistry((stop) => stop());

/**
 * Cancels a transfer when `signal` says so. A signal may live long: it keeps no transfer.
 * @returns what makes it stop listening
 */
function cancelOn(signal, transfer) {
    const target = new WeakRef(transfer);
    const listener = () => target.deref()?.cancel(signal.reason);
    const stop = () => signal.removeEventListener('abort', listener);
    signal.addEventListener('abort', listener, { once: true });
    forgotten.register(transfer, stop);
    return stop;
}

module.exports = { cancelOn };
