// References to strings and numbers for a Node-API older than 10, which references objects, functions and symbols only:
// any other value is put into an object, and the object is referenced. Included before better-sqlite3's own source.
#pragma once
#include <node_api.h>
#include <mutex>
#include <unordered_set>

namespace node_api_8 {

struct Boxes {
  std::mutex mutex;
  std::unordered_set<napi_ref> references;
};

inline Boxes& boxes() {
  static Boxes all;
  return all;
}

inline napi_status create_reference(napi_env env, napi_value value, uint32_t count, napi_ref* result) {
  napi_valuetype type;
  if (napi_status status = napi_typeof(env, value, &type); status != napi_ok) return status;
  if (type == napi_object || type == napi_function || type == napi_external || type == napi_symbol) {
    return napi_create_reference(env, value, count, result);
  }
  napi_value box;
  if (napi_status status = napi_create_object(env, &box); status != napi_ok) return status;
  if (napi_status status = napi_set_named_property(env, box, "value", value); status != napi_ok) return status;
  if (napi_status status = napi_create_reference(env, box, count, result); status != napi_ok) return status;
  std::lock_guard<std::mutex> guard(boxes().mutex);
  boxes().references.insert(*result);
  return napi_ok;
}

inline napi_status get_reference_value(napi_env env, napi_ref reference, napi_value* result) {
  napi_status status = napi_get_reference_value(env, reference, result);
  if (status != napi_ok || *result == nullptr) return status;
  bool boxed;
  {
    std::lock_guard<std::mutex> guard(boxes().mutex);
    boxed = boxes().references.count(reference) > 0;
  }
  return boxed ? napi_get_named_property(env, *result, "value", result) : napi_ok;
}

inline napi_status delete_reference(napi_env env, napi_ref reference) {
  {
    std::lock_guard<std::mutex> guard(boxes().mutex);
    boxes().references.erase(reference);
  }
  return napi_delete_reference(env, reference);
}

}  // namespace node_api_8

#define napi_create_reference ::node_api_8::create_reference
#define napi_get_reference_value ::node_api_8::get_reference_value
#define napi_delete_reference ::node_api_8::delete_reference
