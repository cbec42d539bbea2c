// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include <curlicue/easy.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace curlicue::node {

/// An easy for `fetch`: http and https only, the server verified, nothing followed, no proxy,
/// cookies or .netrc, an end to waiting, and no line breaks where they would end a header. It is
/// used for one request after another, and set up once.
class guarded_easy {
public:
    /// Called by libcurl: as WRITEFUNCTION, HEADERFUNCTION and READFUNCTION.
    class callbacks {
    public:
        virtual std::size_t receive(std::span<const char> data) = 0;
        virtual std::size_t header(std::string_view line) = 0;
        virtual std::size_t send(std::span<char> buffer) = 0;

    protected:
        ~callbacks() = default;
    };

    guarded_easy();
    guarded_easy(const guarded_easy&) = delete;
    guarded_easy& operator=(const guarded_easy&) = delete;
    ~guarded_easy() { target_->called = nullptr; }

    /// For one request (…, url, method, headers, body, limits): headers alternate names and values;
    /// a body is a string, bytes, or undefined, and of one that is sent piece by piece its size in
    /// bytes, or `true` if that is not known; limits are milliseconds for the whole, to connect,
    /// and without a byte. What may be sent is for lib/ to check.
    /// @throws type_error
    void prepare(const arguments& given);
    /// Back to what is common to all requests; nobody is called any more.
    void clear();
    /// *Lifetime:* until `clear`, or the end of this
    void call(callbacks& which) noexcept { target_->called = &which; }
    /// For somebody who sets other options: it is not used again.
    easy& unguarded() noexcept {
        reusable_ = false;
        return easy_;
    }

    const easy& handle() const noexcept { return easy_; }
    bool reusable() const noexcept { return reusable_; }
    /// Where libcurl calls, even if somebody has set it otherwise.
    void set_callbacks();

private:
    /// The easy's, which may outlive this where somebody has a copy of it.
    struct target {
        callbacks* called = nullptr;
        callbacks& now() const;
    };

    void set_method(const arguments& given);
    void set_body(const arguments& given, std::vector<std::string>& headers);
    void set_limits(const arguments& given);

    easy easy_;
    const std::shared_ptr<target> target_ = std::make_shared<target>();
    bool reusable_ = true;
    bool has_headers_ = false;
    bool has_method_ = false;
    bool has_body_ = false;
};

/// Those that wait for their next request. One whose transfer has failed is not among them: libcurl
/// keeps more of that than it lets anybody take back.
class guarded_easies {
public:
    std::unique_ptr<guarded_easy> take();
    void give_back(std::unique_ptr<guarded_easy> handle);

private:
    std::vector<std::unique_ptr<guarded_easy>> idle_;
};

} // namespace curlicue::node
