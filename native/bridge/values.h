// Values: JavaScript values read strictly, and made.
//
// Nothing is coerced. A value of the wrong kind is a `Mismatch`, which knows what must hold and what came; whoever
// knows the argument's name turns it into a sentence.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bridge {

// A value that does not fit. `must` completes "argument `x` …".
struct Mismatch {
  std::string must;
  std::string got;
};

napi_valuetype typeOf(napi_env env, napi_value value);
inline bool isNothing(napi_valuetype type) { return type == napi_undefined || type == napi_null; }

// The value in a few words, for messages: `1.5`, `string "abc"`, `array of 3`.
std::string describe(napi_env env, napi_value value);

bool readBool(napi_env env, napi_value value);
double readNumber(napi_env env, napi_value value);
// A number without fraction up to 2^53, or a bigint.
int64_t readInt(napi_env env, napi_value value);
std::string readString(napi_env env, napi_value value);

template <class Visit>
void forEach(napi_env env, napi_value array, Visit visit);

// Where the bytes of a typed array or DataView lie. Valid until JavaScript runs again.
struct Bytes {
  const void* data;
  size_t size;
};
Bytes readBytes(napi_env env, napi_value view);

napi_value makeNull(napi_env env);
napi_value makeUndefined(napi_env env);
napi_value makeBool(napi_env env, bool value);
napi_value makeInt(napi_env env, int64_t value);
napi_value makeNumber(napi_env env, double value);
napi_value makeString(napi_env env, const std::string& text);
napi_value makeArray(napi_env env, size_t length);

// Number of elements; a `Mismatch` for what is no array.
uint32_t readLength(napi_env env, napi_value array);
napi_value readElement(napi_env env, napi_value array, uint32_t index);

template <class Visit>
void forEach(napi_env env, napi_value array, Visit visit) {
  const uint32_t length = readLength(env, array);
  for (uint32_t i = 0; i < length; i++) {
    visit(readElement(env, array, i));
  }
}

}  // namespace bridge
