// SPDX-License-Identifier: MIT
// Each case is a program that must not compile, as in refused_options.cpp.
#include <curlicue/async_multi.hpp>
#include <curlicue/multi.hpp>

void wrong(curlicue::async_multi& transfers, curlicue::multi& by_hand) {
    transfers.setopt<CURLMOPT_MAXCONNECTS>(1);
    by_hand.setopt<CURLMOPT_SOCKETFUNCTION>([](auto...) { return 0; });
#if CASE == 1 // sockets, timer, notifications and server push are its own
    transfers.setopt<CURLMOPT_SOCKETFUNCTION>(0);
#elif CASE == 2 // sockets, timer, notifications and server push are its own
    transfers.setopt<CURLMOPT_TIMERFUNCTION>(0);
#elif CASE == 3 // sockets, timer, notifications and server push are its own
    transfers.setopt<CURLMOPT_SOCKETDATA>(0);
#elif CASE == 4 // sockets, timer, notifications and server push are its own
    transfers.setopt<CURLMOPT_PUSHFUNCTION>(0);
#elif CASE == 5 // sockets, timer, notifications and server push are its own
    transfers.setopt<curlicue::detail::multiopt_notifyfunction>(0);
#elif CASE == 6 // no matching
    transfers.setopt<CURLMOPT_MAXCONNECTS>("1");
#elif CASE == 7 // CURLMOPT_SOCKETFUNCTION takes a callable int(const curlicue::easy*
    by_hand.setopt<CURLMOPT_SOCKETFUNCTION>([](auto...) {});
#endif
}
