// Rule 302: in a program that is not position-independent the linker copies the library's data
// symbols; both sides must then agree on the copies. Built as PIE and not, by each compiler there
// is.
#include <xpc/xpc.h>

#include <stdio.h>

static const struct {
  xpc_type_t type;
  const char* name;
} types[] = {{XPC_TYPE_STRING, "string"}, {XPC_TYPE_DICTIONARY, "dictionary"}};
static const xpc_object_t objects[] = {XPC_BOOL_TRUE, XPC_ERROR_CONNECTION_INVALID};

static int check(int good, const char* what) {
  if (!good) fprintf(stderr, "failed: %s\n", what);
  return !good;
}

int main(void) {
  int bad = 0;
  xpc_object_t text = xpc_string_create("x"), dictionary = xpc_dictionary_create(NULL, NULL, 0);
  bad += check(xpc_get_type(text) == types[0].type, "static initialiser of a type");
  bad += check(xpc_get_type(text) == XPC_TYPE_STRING, "type of a string");
  bad += check(xpc_get_type(dictionary) == XPC_TYPE_DICTIONARY, "type of a dictionary");
  bad += check(strcmp(xpc_type_get_name(types[0].type), types[0].name) == 0, "name of a type");
  bad += check(xpc_bool_create(true) == XPC_BOOL_TRUE, "true");
  bad += check(xpc_bool_get_value(objects[0]), "value of true");
  bad += check(xpc_get_type(objects[1]) == XPC_TYPE_ERROR, "type of an error");
  const char* said =
      xpc_dictionary_get_string(XPC_ERROR_CONNECTION_INVALID, XPC_ERROR_KEY_DESCRIPTION);
  bad += check(said && strcmp(said, "Connection invalid") == 0, "text of an error");
  char* description = xpc_copy_description(XPC_BOOL_FALSE);
  bad += check(strstr(description, "false") != NULL, "description of false");
  free(description);
  xpc_retain(XPC_BOOL_TRUE);
  xpc_release(XPC_BOOL_TRUE);
  xpc_release(text);
  xpc_release(dictionary);
  return bad != 0;
}
