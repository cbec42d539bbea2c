// SPDX-License-Identifier: MIT
#include "known_faults.hpp"
#include <curlicue/async_multi.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <curl/curl.h>
#include <gtest/gtest.h>

using namespace curlicue;
using detail::fault;

namespace {

std::set<fault> of(unsigned version, std::string_view quic = {}) {
    std::set<fault> found;
    for (const auto& each : detail::known_faults())
        if (has(each.which, version, quic))
            found.insert(each.which);
    return found;
}

TEST(TheKnownFaults, AreThoseOfTheirVersions) {
    using enum fault;
    const std::map<unsigned, std::set<fault>> table = {
        {0x075801,
         {stalls_streams, closes_in_silence, waits_in_removal, asks_for_too_little, mixes_up_ldaps,
          keeps_os_error}},
        {0x080102,
         {stalls_streams, closes_in_silence, waits_in_removal, asks_for_too_little, mixes_up_ldaps,
          keeps_os_error}},
        {0x080200,
         {stalls_streams, waits_in_removal, asks_for_too_little, mixes_up_ldaps, keeps_os_error}},
        {0x080400, {waits_in_removal, asks_for_too_little, mixes_up_ldaps, keeps_os_error}},
        {0x080500,
         {waits_in_removal, asks_for_too_little, loses_wakeups, reads_while_paused,
          keeps_os_error}},
        {0x080600, {waits_in_removal, asks_for_too_little, asks_without_end, keeps_os_error}},
        {0x080701,
         {waits_in_removal, asks_for_too_little, asks_without_end, keeps_os_error,
          keeps_rewinding}},
        {0x080901, {waits_in_removal, keeps_shut_sockets, asks_without_end, keeps_rewinding}},
        {0x080a01, {waits_in_removal, forgets_its_pointers, asks_without_end, keeps_rewinding}},
        {0x080e01, {waits_in_removal, asks_without_end, keeps_rewinding, forgets_limits}},
        {0x081100, {waits_in_removal, forgets_limits}},
        {0x081200, {forgets_limits}},
        {0x081400, {waits_in_cleanup, leaves_waker_readable, forgets_limits}},
        {0x081500, {waits_in_cleanup, ends_no_shutdown, insists_on_directory, forgets_limits}},
        {0x081600, {waits_in_cleanup, insists_on_directory}},
    };
    for (const auto& [version, faults] : table)
        EXPECT_EQ(of(version), faults) << std::hex << version;
}

TEST(TheKnownFaults, MayBeThoseOfOneQuicAlone) {
    using enum fault;
    const auto told = [](unsigned version, std::string_view quic) {
        auto found = of(version, quic);
        for (const auto each : of(version))
            EXPECT_EQ(found.erase(each), 1u) << "with and without QUIC";
        return found;
    };
    const std::set<fault> of_openssl = {stops_after_cancels, stops_at_many_streams};
    EXPECT_EQ(told(0x080e01, "nghttp3/1.8.0"), of_openssl);
    const std::set<fault> of_ngtcp2 = {misses_idle_close, parses_for_each_quic};
    EXPECT_EQ(told(0x080e01, "ngtcp2/1.11.0 nghttp3/1.8.0"), of_ngtcp2);
    EXPECT_EQ(told(0x081600, "ngtcp2/1.11.0 nghttp3/1.8.0"),
              (std::set<fault>{parses_for_each_quic}));
    EXPECT_EQ(told(0x080e01, "quiche/0.24.2"), std::set<fault>());
}

TEST(TheKnownFaults, OfTheLibcurlAtHandAreInTheDiagnostics) {
    const auto diagnostics = async_multi().diagnostics();
    const auto& libcurl = *curl_version_info(CURLVERSION_NOW);
    const auto present =
        of(libcurl.version_num, libcurl.quic_version != nullptr ? libcurl.quic_version : "");
    for (const auto& each : detail::known_faults()) {
        const bool told = diagnostics.find(each.what) != std::string::npos;
        EXPECT_EQ(told, present.contains(each.which)) << each.what;
        EXPECT_EQ(told, diagnostics.find(each.answer) != std::string::npos &&
                            present.contains(each.which));
    }
}

} // namespace
