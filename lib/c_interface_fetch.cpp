// SPDX-License-Identifier: MIT
#include "c_interface_call.hpp"
#include "c_interface_client.hpp"
#include "c_interface_multi.hpp"
#include "c_interface_request.hpp"
#include "c_interface_status.hpp"

#include <stdexcept>

using namespace curlicue;
using namespace curlicue::detail;

int curlicue_fetch(curlicue_multi* multi, curlicue_client* client, const curlicue_request* request,
                   curlicue_call** call) {
    if (call != nullptr)
        *call = nullptr;
    const int status = status_of_call([&] {
        require(request != nullptr, "curlicue_fetch");
        const auto asked = known_part(request, "curlicue_request");
        require(asked.url != nullptr && asked.on_done != nullptr, "curlicue_fetch");
        if (client != nullptr && client->of != &multi->multi)
            throw std::invalid_argument("curlicue_fetch: the client is another multi's");
        auto what = request_of(asked);
        auto made =
            make_intrusive<curlicue_call>(asked, executor_link::of(multi->multi.executor()));
        if (call != nullptr)
            *call = made.get(); // before the first callback
        made->start(std::move(what), client != nullptr ? &client->made : nullptr, multi->multi);
        if (call != nullptr)
            static_cast<void>(made.detach());
    });
    if (status != CURLICUE_OK && call != nullptr)
        *call = nullptr;
    return status;
}

int curlicue_fetch_pause(curlicue_call* call) { return call->pause(); }
int curlicue_fetch_resume(curlicue_call* call) { return call->resume(); }
int curlicue_fetch_cancel(curlicue_call* call) { return call->cancel(); }
int curlicue_fetch_more(curlicue_call* call) { return call->more(); }

void curlicue_fetch_free(curlicue_call* call) {
    if (call != nullptr)
        call->release();
}
