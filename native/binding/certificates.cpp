// Reads the file of NODE_EXTRA_CA_CERTS after Node's start, as Node itself would have before it.
//
// A Node that reads it at once spends more on that than on all the rest of its start. Its
// function for it is taken from the running interpreter; one that has none, or reads the file
// when it is needed (Node 22 and later), is left alone.
#include "binding/certificates.h"

#include <dlfcn.h>

#include <string>

namespace dragon::binding {
namespace {

using Reader = void (*)(const std::string& file);

// node::crypto::UseExtraCaCerts(const std::string&), as Node 20 has it.
Reader reader() {
  return reinterpret_cast<Reader>(dlsym(
      RTLD_DEFAULT,
      "_ZN4node6crypto15UseExtraCaCertsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"));
}

// certificatesCanWait(): whether readCertificates() can do what Node would do at its start.
Napi::Value certificates_can_wait(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), reader() != nullptr);
}

// readCertificates(path): once, and before the process makes its first TLS context.
Napi::Value read_certificates(const Napi::CallbackInfo& info) {
  if (const Reader read = reader()) read(info[0].ToString().Utf8Value());
  return info.Env().Undefined();
}

}  // namespace

void init_certificates(Napi::Env env, Napi::Object exports) {
  exports.Set("certificatesCanWait", Napi::Function::New(env, certificates_can_wait));
  exports.Set("readCertificates", Napi::Function::New(env, read_certificates));
}

}  // namespace dragon::binding
