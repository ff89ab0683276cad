#include "values.h"

#include <cmath>
#include <cstdio>

#include "errors.h"

namespace bridge {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;  // 2^53 − 1

// Failures that are no fault of the value's: out of memory, or a pending exception.
void mustWork(napi_status status) {
  if (status != napi_ok) throw Fault("bridge: Node-API failed with status " + std::to_string(status));
}

size_t elementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  mustWork(napi_typeof(env, value, &type));
  return type;
}

std::string describe(napi_env env, napi_value value) {
  switch (typeOf(env, value)) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return readBool(env, value) ? "true" : "false";
    case napi_number: {
      const double number = readNumber(env, value);
      if (std::isnan(number)) return "NaN";
      if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
      char text[32];
      std::snprintf(text, sizeof text, "%.17g", number);
      return text;
    }
    case napi_string: {
      const std::string text = readString(env, value);
      return "string \"" + (text.size() > 40 ? text.substr(0, 40) + "…" : text) + "\"";
    }
    case napi_bigint:
      return "bigint";
    case napi_function:
      return "function";
    case napi_symbol:
      return "symbol";
    default: {
      bool array = false;
      napi_is_array(env, value, &array);
      return array ? "array of " + std::to_string(readLength(env, value)) : "object";
    }
  }
}

bool readBool(napi_env env, napi_value value) {
  bool result;
  if (napi_get_value_bool(env, value, &result) != napi_ok) throw Mismatch{"must be a boolean", describe(env, value)};
  return result;
}

double readNumber(napi_env env, napi_value value) {
  double result;
  if (napi_get_value_double(env, value, &result) != napi_ok) {
    throw Mismatch{"must be a number", describe(env, value)};
  }
  return result;
}

int64_t readInt(napi_env env, napi_value value) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    // NaN fails the comparison.
    if (std::abs(number) <= kMaxSafeInteger && number == std::trunc(number)) return static_cast<int64_t>(number);
  } else {
    int64_t result;
    bool lossless = false;
    if (napi_get_value_bigint_int64(env, value, &result, &lossless) == napi_ok && lossless) return result;
  }
  throw Mismatch{"must be an integer", describe(env, value)};
}

std::string readString(napi_env env, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    throw Mismatch{"must be a string", describe(env, value)};
  }
  std::string text(length, '\0');
  mustWork(napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

uint32_t readLength(napi_env env, napi_value array) {
  uint32_t length;
  if (napi_get_array_length(env, array, &length) != napi_ok) {
    throw Mismatch{"must be an array", describe(env, array)};
  }
  return length;
}

napi_value readElement(napi_env env, napi_value array, uint32_t index) {
  napi_value element;
  mustWork(napi_get_element(env, array, index, &element));
  return element;
}

Bytes readBytes(napi_env env, napi_value view) {
  bool typed = false;
  mustWork(napi_is_typedarray(env, view, &typed));
  void* data;
  size_t length;
  if (typed) {
    napi_typedarray_type type;
    mustWork(napi_get_typedarray_info(env, view, &type, &length, &data, nullptr, nullptr));
    if (const size_t size = elementSize(type)) return {data, length * size};
  } else if (napi_get_dataview_info(env, view, &length, &data, nullptr, nullptr) == napi_ok) {
    return {data, length};
  }
  throw Mismatch{"must be a typed array or DataView", describe(env, view)};
}

napi_value makeNull(napi_env env) {
  napi_value result;
  mustWork(napi_get_null(env, &result));
  return result;
}

napi_value makeUndefined(napi_env env) {
  napi_value result;
  mustWork(napi_get_undefined(env, &result));
  return result;
}

napi_value makeBool(napi_env env, bool value) {
  napi_value result;
  mustWork(napi_get_boolean(env, value, &result));
  return result;
}

napi_value makeInt(napi_env env, int64_t value) {
  napi_value result;
  mustWork(napi_create_int64(env, value, &result));
  return result;
}

napi_value makeNumber(napi_env env, double value) {
  napi_value result;
  mustWork(napi_create_double(env, value, &result));
  return result;
}

napi_value makeString(napi_env env, const std::string& text) {
  napi_value result;
  mustWork(napi_create_string_utf8(env, text.c_str(), text.size(), &result));
  return result;
}

napi_value makeArray(napi_env env, size_t length) {
  napi_value result;
  mustWork(napi_create_array_with_length(env, length, &result));
  return result;
}

}  // namespace bridge
