// SPDX-License-Identifier: MIT
#include "c_interface_client.hpp"

#include "c_interface_multi.hpp"
#include "c_interface_request.hpp"
#include "c_interface_status.hpp"
#include "c_interface_told.hpp"

#include <chrono>
#include <memory>

using namespace curlicue;
using namespace curlicue::detail;

int curlicue_public_addresses_only(void*, const sockaddr* address) {
    return public_addresses_only(*address) ? 1 : 0;
}

int curlicue_client_new(curlicue_multi* multi, const curlicue_client_options* options,
                        curlicue_client** made) {
    return make(made, "curlicue_client_new", [&] {
        const auto asked = known_part(options, "curlicue_client_options");
        return std::make_unique<curlicue_client>(multi->multi, options_of(asked));
    });
}

int curlicue_client_close(curlicue_client* client, void (*closed)(void* data), void* data) {
    return status_of_call(
        [&] { close_and_tell([&] { return client->made.close(); }, closed, data); });
}

int curlicue_client_drain(curlicue_client* client, long patience_ms, void (*closed)(void* data),
                          void* data) {
    return status_of_call([&] {
        const std::chrono::milliseconds patience(patience_ms);
        close_and_tell([&] { return client->made.drain(patience); }, closed, data);
    });
}

int curlicue_client_network_changed(curlicue_client* client) {
    return status_of_call([&] { client->made.network_changed(); });
}

void curlicue_client_free(curlicue_client* client) { delete client; }
