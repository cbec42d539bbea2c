// SPDX-License-Identifier: MIT
'use strict';

const native = require('./native.js');

let timer;

/** What bodies had is used again for others; a second after the last one was asked for it is freed. */
function restLater() {
    if (timer)
        return timer.refresh();
    timer = setTimeout(() => {
        timer = undefined;
        native.rest();
    }, 1000).unref();
}

module.exports = { restLater };
