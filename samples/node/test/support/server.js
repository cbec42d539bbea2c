// SPDX-License-Identifier: MIT
'use strict';

const { once } = require('node:events');
const net = require('node:net');

/**
 * A server that does as it is told: `talk(socket)` is called for every connection. `connections`
 * counts them, `closed` those that have ended.
 */
async function serve(talk) {
    const sockets = new Set();
    const server = net.createServer((socket) => {
        ++told.connections;
        sockets.add(socket);
        socket.on('error', () => {}); // it is told by the close
        socket.on('close', () => {
            sockets.delete(socket);
            ++told.closed;
            server.emit('gone');
        });
        talk(socket);
        if (!socket.isPaused())
            socket.resume(); // or nobody hears that it ends
    });
    const told = {
        connections: 0,
        closed: 0,
        /** Until so many connections have ended. */
        async gone(count) {
            while (told.closed < count)
                await once(server, 'gone');
        },
        async stop() {
            for (const socket of sockets)
                socket.destroy();
            server.close();
            await once(server, 'close');
        },
    };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.unref(); // so that a test which fails does not wait for it
    told.port = server.address().port;
    told.url = `http://127.0.0.1:${told.port}`;
    return told;
}

/** What `talk` may be: says `reply` when a request's head has come. */
const answer = (reply) => (socket) => socket.on('data', () => socket.write(reply));

/** A server that keeps what it is asked, and replies `reply`, or what that makes of it. */
async function listener(reply = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok') {
    const heads = [];
    const server = await serve((socket) => socket.on('data', (data) => {
        heads.push(data.toString('latin1'));
        socket.write(typeof reply === 'function' ? reply(heads.at(-1)) : reply, 'latin1');
    }));
    return Object.assign(server, { heads });
}

module.exports = { serve, answer, listener };
