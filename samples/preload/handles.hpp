// SPDX-License-Identifier: MIT
#pragma once

#include "hidden_multi.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

#include <curl/curl.h>
#include <pthread.h>

/// The options that `curl_easy_perform` itself looks at.
struct perform_options {
    long connect_only = 0;
    long max_connects = 5; // libcurl's default (urldata.h, DEFAULT_CONNCACHE_SIZE)
};

/// What is known of an easy. As with libcurl, one thread at a time has it.
struct known {
    perform_options options;
    bool libcurls_own = false; ///< performs without us, for its connections are not here

    hidden_multi& multi() {
        if (!multi_ || multi_->inherited())
            multi_.reset(new hidden_multi);
        return *multi_;
    }

private:
    // What is the parent's a child leaves as it is.
    struct cleanup {
        void operator()(hidden_multi* multi) const {
            if (!multi->inherited())
                delete multi;
        }
    };
    std::unique_ptr<hidden_multi, cleanup> multi_;
};

/// The easies of which something is known, until they are cleaned up.
/// @threading thread-safe
class handles {
public:
    static handles& all() {
        static auto& instance = *new handles; // not destroyed: programs clean up in destructors
        return instance;
    }

    known& operator[](CURL* handle) {
        const std::lock_guard lock(mutex_);
        return known_[handle];
    }
    /// Null if nothing is known.
    known* find(CURL* handle) {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(handle);
        return found == known_.end() ? nullptr : &found->second;
    }
    /// Ends its connections.
    void forget(CURL* handle) {
        std::unique_lock lock(mutex_);
        const auto last = known_.extract(handle);
        lock.unlock(); // they may have callbacks
    }

private:
    // A child that forks while another thread has it could never take it.
    handles() {
        pthread_atfork([] { all().mutex_.lock(); }, [] { all().mutex_.unlock(); },
                       [] { all().mutex_.unlock(); });
    }

    std::mutex mutex_;
    std::unordered_map<CURL*, known> known_;
};
