// A Falco plugin of its own for testing the host and its reader of rules: every word of the open
// parameters ("red:7:a+b green::") is one event NAME:NUMBER:LIST. An empty part has no value.
// Source "words"; fields word.name (string), word.n (uint64), word.list (list), word.arg[K] (K itself).
// Events start at 2026-11-02T00:00:00Z, one second apart.
#include <plugin/plugin_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define PLUGINEVENT_E 322

typedef struct {
	char error[256];
	char value[256];
	const char* str[16];
	uint64_t num;
} plugin;

typedef struct {
	char* words;
	char* next;
	uint64_t n;
	union { ss_plugin_event event; char bytes[512]; } buf;
	ss_plugin_event* out;
} instance;

EXPORT const char* plugin_get_required_api_version() { return "3.11.0"; }
EXPORT const char* plugin_get_name() { return "words"; }
EXPORT const char* plugin_get_description() { return "words as events"; }
EXPORT const char* plugin_get_contact() { return "tests/real-host"; }
EXPORT const char* plugin_get_version() { return "1.4.0"; }
EXPORT uint32_t plugin_get_id() { return 999; }
EXPORT const char* plugin_get_event_source() { return "words"; }

EXPORT ss_plugin_t* plugin_init(const ss_plugin_init_input* in, ss_plugin_rc* rc) {
	(void)in;
	*rc = SS_PLUGIN_SUCCESS;
	return calloc(1, sizeof(plugin));
}
EXPORT void plugin_destroy(ss_plugin_t* s) { free(s); }
EXPORT const char* plugin_get_last_error(ss_plugin_t* s) { return ((plugin*)s)->error; }

EXPORT ss_instance_t* plugin_open(ss_plugin_t* s, const char* params, ss_plugin_rc* rc) {
	if(!strncmp(params, "refuse", 6)) {
		snprintf(((plugin*)s)->error, sizeof ((plugin*)s)->error, "refused as asked");
		*rc = SS_PLUGIN_FAILURE;
		return NULL;
	}
	instance* h = calloc(1, sizeof *h);
	h->next = h->words = strdup(params);
	*rc = SS_PLUGIN_SUCCESS;
	return h;
}
EXPORT void plugin_close(ss_plugin_t* s, ss_instance_t* h) {
	(void)s;
	if(!h) return; // libsinsp closes what did not open
	free(((instance*)h)->words);
	free(h);
}

EXPORT ss_plugin_rc plugin_next_batch(ss_plugin_t* s, ss_instance_t* i, uint32_t* n, ss_plugin_event*** evts) {
	instance* h = i;
	*n = 0; // read on EOF too
	char* word = strsep(&h->next, " ");
	if(!word) return SS_PLUGIN_EOF;
	if(!strcmp(word, "fail")) {
		snprintf(((plugin*)s)->error, sizeof ((plugin*)s)->error, "failed as asked");
		return SS_PLUGIN_FAILURE;
	}
	uint32_t len = strlen(word), lens[2] = {4, len}, id = 999;
	ss_plugin_event head = {.ts = (1793577600 + h->n++) * 1000000000ull, .tid = -1, .type = PLUGINEVENT_E, .nparams = 2};
	head.len = sizeof head + 12 + len;
	if(head.len > sizeof h->buf) return SS_PLUGIN_FAILURE;
	char* p = h->buf.bytes;
	memcpy(p, &head, sizeof head);
	memcpy(p + sizeof head, lens, 8);
	memcpy(p + sizeof head + 8, &id, 4);
	memcpy(p + sizeof head + 12, word, len);
	h->out = &h->buf.event;
	*evts = &h->out;
	*n = 1;
	return SS_PLUGIN_SUCCESS;
}

static char* payload(plugin* p, const ss_plugin_event* e) {
	const char* params = (const char*)e + sizeof *e;
	uint32_t lens[2];
	memcpy(lens, params, 8);
	uint32_t len = lens[1] < sizeof p->value ? lens[1] : sizeof p->value - 1;
	memcpy(p->value, params + 8 + lens[0], len);
	p->value[len] = 0;
	return p->value;
}

EXPORT const char* plugin_event_to_string(ss_plugin_t* s, const ss_plugin_event_input* e) { return payload(s, e->evt); }

EXPORT const char* plugin_get_fields() {
	return "[{\"type\":\"string\",\"name\":\"word.name\",\"desc\":\"the name\"},"
	       "{\"type\":\"uint64\",\"name\":\"word.n\",\"desc\":\"the number\"},"
	       "{\"type\":\"string\",\"name\":\"word.list\",\"isList\":true,\"desc\":\"the list\"},"
	       "{\"type\":\"string\",\"name\":\"word.arg\",\"desc\":\"the argument\",\"arg\":{\"isRequired\":true,\"isKey\":true}}]";
}

EXPORT ss_plugin_rc plugin_extract_fields(ss_plugin_t* s, const ss_plugin_event_input* e, const ss_plugin_field_extract_input* in) {
	plugin* p = s;
	for(uint32_t i = 0; i < in->num_fields; i++) {
		ss_plugin_extract_field* f = &in->fields[i];
		char *rest = payload(p, e->evt), *name = strsep(&rest, ":"), *num = rest ? strsep(&rest, ":") : "", *list = rest ? rest : "";
		f->res_len = 0;
		if(f->field_id == 0 && *name) { p->str[0] = name; f->res_len = 1; }
		if(f->field_id == 1 && *num) { p->num = strtoull(num, NULL, 10); f->res.u64 = &p->num; f->res_len = 1; continue; }
		if(f->field_id == 2)
			while(list && *list && f->res_len < 16) p->str[f->res_len++] = strsep(&list, "+");
		if(f->field_id == 3) { p->str[0] = f->arg_key; f->res_len = 1; }
		f->res.str = p->str;
	}
	return SS_PLUGIN_SUCCESS;
}
