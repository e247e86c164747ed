// E-mail addresses: which texts are one, and which two are the same account.
//
// Sources: RFC 5321 section 4.1.2 (dot-atom local part, 64 octets), RFC 5891 and RFC 6531 (letters beyond
// ASCII are left as they are), RFC 1035 (labels). Quoted local parts and address literals are valid on paper
// and refused here. Pure, thread-safe, any bytes.
#pragma once
#include <string>
#include <string_view>

namespace lumina::auth {

// 3 to 255 bytes of UTF-8: local part of 1 to 64 bytes, '@', a domain of two labels or more (or "localhost").
bool is_email(std::string_view text);

// What is unique among accounts: ASCII letters in lower case, everything else as it is.
std::string email_key(std::string_view email);

}  // namespace lumina::auth
