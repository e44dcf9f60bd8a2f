// SPDX-License-Identifier: BSD-3-Clause

// Claim: the digest is SHA-256 of FIPS 180-4. Observed on the published vectors, on every length around the block
// boundary fed in two pieces, and on one message longer than any buffer.
#include "order_simulation/sha256.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

using order_simulation::sha256;
using order_simulation::sha256_hex;

TEST_CASE("sha256: published vectors come out") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                   "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

TEST_CASE("sha256: a million letters give the published digest") {
  CHECK(sha256_hex(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: how a message is cut into pieces does not matter") {
  for (std::size_t size = 0; size <= 200; ++size) {
    std::string message;
    for (std::size_t i = 0; i < size; ++i)
      message += static_cast<char>(i * 7);
    const std::size_t cut = size / 3;
    sha256 digest;
    digest.update(std::string_view{message}.substr(0, cut));
    digest.update(std::string_view{message}.substr(cut));
    CAPTURE(size);
    CHECK(digest.hex_digest() == sha256_hex(message));
  }
}

TEST_CASE("sha256: zero bytes and high bytes count") {
  CHECK(sha256_hex(std::string(1, '\xbd')) == "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
  CHECK(sha256_hex(std::string(55, '\0')) == "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
  CHECK(sha256_hex(std::string(64, '\0')) == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}
