// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/callbacks.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/detail/option_argument.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

struct function_option {
    CURLoption function;
    CURLoption data; ///< two functions may share one: PROGRESS and XFERINFO, CHUNK_BGN and _END
};

constexpr CURLoption function_number(int number) noexcept {
    return static_cast<CURLoption>(CURLOPTTYPE_FUNCTIONPOINT + number);
}

/// Every function option that can be a callable. The deprecated ones as numbers: naming them warns.
inline constexpr std::array function_options{
    function_option{CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA},
    function_option{CURLOPT_READFUNCTION, CURLOPT_READDATA},
    function_option{CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA},
    function_option{CURLOPT_XFERINFOFUNCTION, CURLOPT_XFERINFODATA},
    function_option{CURLOPT_SEEKFUNCTION, CURLOPT_SEEKDATA},
    function_option{CURLOPT_DEBUGFUNCTION, CURLOPT_DEBUGDATA},
    function_option{CURLOPT_SOCKOPTFUNCTION, CURLOPT_SOCKOPTDATA},
    function_option{CURLOPT_OPENSOCKETFUNCTION, CURLOPT_OPENSOCKETDATA},
    function_option{CURLOPT_CLOSESOCKETFUNCTION, CURLOPT_CLOSESOCKETDATA},
    function_option{CURLOPT_SSL_CTX_FUNCTION, CURLOPT_SSL_CTX_DATA},
    function_option{CURLOPT_PREREQFUNCTION, CURLOPT_PREREQDATA},
    function_option{CURLOPT_TRAILERFUNCTION, CURLOPT_TRAILERDATA},
    function_option{CURLOPT_RESOLVER_START_FUNCTION, CURLOPT_RESOLVER_START_DATA},
    function_option{CURLOPT_HSTSREADFUNCTION, CURLOPT_HSTSREADDATA},
    function_option{CURLOPT_HSTSWRITEFUNCTION, CURLOPT_HSTSWRITEDATA},
    function_option{CURLOPT_SSH_KEYFUNCTION, CURLOPT_SSH_KEYDATA},
    function_option{CURLOPT_SSH_HOSTKEYFUNCTION, CURLOPT_SSH_HOSTKEYDATA},
    function_option{CURLOPT_INTERLEAVEFUNCTION, CURLOPT_INTERLEAVEDATA},
    function_option{CURLOPT_CHUNK_BGN_FUNCTION, CURLOPT_CHUNK_DATA},
    function_option{CURLOPT_CHUNK_END_FUNCTION, CURLOPT_CHUNK_DATA},
    function_option{CURLOPT_FNMATCH_FUNCTION, CURLOPT_FNMATCH_DATA},
    function_option{function_number(56), CURLOPT_XFERINFODATA}, // PROGRESSFUNCTION
    function_option{function_number(130),                       // IOCTLFUNCTION
                    static_cast<CURLoption>(CURLOPTTYPE_CBPOINT + 131)},
};

constexpr std::size_t slot_of(CURLoption function) noexcept {
    std::size_t slot = 0;
    while (slot < function_options.size() && function_options[slot].function != function)
        ++slot;
    return slot;
}

/// The callbacks of one owned handle. libcurl gets the trampoline of an option together with the
/// core as its data, or the user's own C function together with the user's own pointer, and never
/// one of these with the other.
class callback_slots {
public:
    /// Throws what libcurl refuses; nothing has changed then.
    void set(easy_core& core, CURLoption function, intrusive_ptr<ref_counted> callable);
    void set(easy_core& core, CURLoption function, raw_function callback);
    void set_data(easy_core& core, CURLoption data, void* pointer);
    /// A callable or a C function, whichever is there.
    void unset(easy_core& core, CURLoption function);

    /// What a handle of ours has where libcurl's own default is not one for a loop.
    /// @throws std::bad_alloc
    void set_defaults(easy_core& core);
    /// Tells libcurl that the callbacks have moved to `core`: the copy of a duplicated handle.
    void rebind(easy_core& core);
    void clear() noexcept;

    template <CURLoption Option> callable<signature_of<Option>>& get() const noexcept {
        return static_cast<callable<signature_of<Option>>&>(*callables_[slot_of(Option)].get());
    }
    bool has(CURLoption function) const noexcept {
        return static_cast<bool>(callables_[slot_of(function)]);
    }
    template <CURLoption Option>
    intrusive_ptr<callable<signature_of<Option>>> share() const noexcept {
        return has(Option) ? intrusive_ptr<callable<signature_of<Option>>>::share(&get<Option>())
                           : nullptr;
    }

private:
    void apply_data(easy_core& core, CURLoption data) noexcept;
    void require_own_data(CURLoption function, bool is_callable) const;
    bool is_used_by_callable(CURLoption data) const noexcept;
    void wrap_raw_socket_callbacks();

    std::array<intrusive_ptr<ref_counted>, function_options.size()> callables_;
    // Only programs that bring C callbacks along have these.
    std::vector<std::pair<CURLoption, raw_function>> raw_functions_;
    std::vector<std::pair<CURLoption, void*>> raw_data_;
};

/// The C callback that calls the callable of `function`.
raw_function trampoline_of(CURLoption function) noexcept;

} // namespace curlicue::detail
