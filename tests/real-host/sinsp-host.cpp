// sinsp-host: a small host around the real libsinsp (the library inside Falco).
// It loads Falco plugins, compiles conditions with libsinsp's own filter compiler, runs a
// capture (a plugin's event source, or a .scap file) and prints JSON lines.
//
//   sinsp-host --plugin A.so [--init JSON] [--plugin B.so ...] MODE
//   MODE: --list                         plugins and fields as one JSON array
//         --compile-only                 compile all conditions and outputs, run nothing
//         [--open PARAMS | --read F.scap] run to the end
//   what to match: [--filter COND]... [--format OUTPUT] [--rules FILE.yaml]...
//   [--rule-matching first|all] [--engine-version X.Y.Z] [--falco-config FILE.yaml [--show-init]]
//   limits: [--max-events N] [--max-seconds S]   other: [--write F.scap] [--quiet] [--log FILE]
//
// exit status: 0 ran; 1 options, load, init or open failed; 2 a condition, output or rules file
// is wrong; 3 the source failed while running. Every failure is a JSON object with "error".
//
// --falco-config FILE takes init_config and open_params of each plugin, by its name, from a Falco configuration, made
// JSON as Falco makes it; --show-init prints what it came to. --init and --open go before it.
// --rules reads Falco's rule language as plugin rules use it: see falco-rules.hpp. Rules of another
// source and disabled ones are left out and named in the last line under "skipped".
// --rule-matching first gives one alert per event, the first rule's, as Falco does by default;
// all (the default here) gives every rule's. --engine-version stands for Falco's own.
#include "falco-config.hpp"
#include "falco-rules.hpp"

#include <libsinsp/eventformatter.h>
#include <libsinsp/dumper.h>
#include <libsinsp/filter.h>
#include <libsinsp/filter_check_list.h>
#include <libsinsp/plugin.h>
#include <libsinsp/sinsp.h>

#include <json/json.h>

#include <chrono>
#include <iostream>

using clk = std::chrono::steady_clock;

struct Rule {
	std::string name, cond, output, priority;
	std::unique_ptr<sinsp_filter> filter;
	std::unique_ptr<sinsp_evt_formatter> out;
	uint64_t hits = 0;
};

static std::string js(const Json::Value& v) {
	Json::StreamWriterBuilder b;
	b["indentation"] = "";
	b["emitUTF8"] = true;
	return Json::writeString(b, v);
}

static int fail(int rc, const char* stage, const std::string& what, const std::string& rule = "") {
	Json::Value v;
	v["error"] = what;
	v["stage"] = stage;
	if(!rule.empty()) v["rule"] = rule;
	std::cout << js(v) << std::endl;
	return rc;
}

int main(int argc, char** argv) {
	std::vector<std::pair<std::string, std::string>> plugins; // path, init
	std::vector<std::string> filters, rulesfiles;
	std::string open_params, readfile, writefile, outfmt, log, falco_config_file;
	// 0.50.0 is the engine of Falco 0.41, the oldest that takes a plugin of this API
	std::string engine = "0.50.0";
	bool list = false, compile_only = false, quiet = false, first_only = false, show_init = false;
	uint64_t max = UINT64_MAX;
	double max_seconds = 1e9;
	try {
		for(int i = 1; i < argc; i++) {
			std::string o = argv[i];
			auto val = [&]() -> std::string {
				if(i + 1 >= argc) throw std::runtime_error("missing value for " + o);
				return argv[++i];
			};
			if(o == "--plugin") plugins.emplace_back(val(), "");
			else if(o == "--init") {
				if(plugins.empty()) throw std::runtime_error("--init comes after its --plugin");
				plugins.back().second = val();
			} else if(o == "--open") open_params = val();
			else if(o == "--read") readfile = val();
			else if(o == "--write") writefile = val();
			else if(o == "--filter") filters.push_back(val());
			else if(o == "--format") outfmt = val();
			else if(o == "--rules") rulesfiles.push_back(val());
			else if(o == "--list") list = true;
			else if(o == "--compile-only") compile_only = true;
			else if(o == "--quiet") quiet = true;
			else if(o == "--log") log = val();
			else if(o == "--falco-config") falco_config_file = val();
			else if(o == "--show-init") show_init = true;
			else if(o == "--engine-version") engine = val();
			else if(o == "--rule-matching") {
				auto v = val();
				if(v != "first" && v != "all") throw std::runtime_error("--rule-matching takes first or all");
				first_only = v == "first";
			}
			else if(o == "--max-events") max = std::stoull(val());
			else if(o == "--max-seconds") max_seconds = std::stod(val());
			else throw std::runtime_error("unknown option " + o);
		}
		if(plugins.empty()) throw std::runtime_error("no --plugin");
	} catch(const std::exception& e) { return fail(1, "options", e.what()); }

	sinsp inspector;
	if(!log.empty()) inspector.set_log_file(log);
	// as Falco does for a plugin source: evt.* generic fields and the plugins' fields, no syscall fields
	auto checks = std::make_shared<filter_check_list>();
	checks->add_filter_check(inspector.new_generic_filtercheck());
	std::string source_plugin, source_name;
	std::vector<std::pair<std::string, sinsp_version>> versions;
	Json::Value info(Json::arrayValue);
	for(auto& [path, init] : plugins) {
		const char* stage = "load";
		try {
			auto p = inspector.register_plugin(path);
			if(!falco_config_file.empty()) {
				stage = "config";
				auto c = falco_config::plugin(falco_config_file, p->name());
				if(!c.found) throw std::runtime_error(falco_config_file + " does not load a plugin " + p->name());
				if(init.empty()) init = c.init;
				if(open_params.empty()) open_params = c.open;
			}
			if(show_init) std::cout << init << " " << open_params << std::endl;
			stage = "init";
			std::string err;
			if(!p->init(init, err)) return fail(1, stage, err);
			Json::Value v;
			v["name"] = p->name();
			v["version"] = p->plugin_version().as_string();
			versions.emplace_back(p->name(), p->plugin_version());
			v["required_api_version"] = p->required_api_version().as_string();
			v["source"] = p->event_source();
			v["id"] = p->id();
			if(p->caps() & CAP_EXTRACTION) {
				checks->add_filter_check(sinsp_plugin::new_filtercheck(p));
				for(auto& f : p->fields()) {
					Json::Value fv;
					fv["name"] = f.m_name;
					fv["type"] = param_type_to_string(f.m_type);
					fv["list"] = bool(f.m_flags & EPF_IS_LIST);
					fv["arg"] = !(f.m_flags & EPF_ARG_ALLOWED) && !(f.m_flags & EPF_ARG_REQUIRED) ? "none"
					            : std::string(f.m_flags & EPF_ARG_REQUIRED ? "required" : "optional") +
					                      (f.m_flags & EPF_ARG_KEY ? " key" : "") + (f.m_flags & EPF_ARG_INDEX ? " index" : "");
					fv["desc"] = f.m_description;
					v["fields"].append(fv);
				}
			}
			if((p->caps() & CAP_SOURCING) && source_plugin.empty()) {
				source_plugin = p->name();
				source_name = p->event_source();
			}
			info.append(v);
		} catch(const std::exception& e) { return fail(1, stage, e.what()); }
	}
	if(list) {
		std::cout << js(info) << std::endl;
		return 0;
	}

	std::vector<Rule> rules;
	Json::Value skipped(Json::arrayValue);
	try {
		falco_rules::Rules loader{sinsp_version(engine), versions};
		for(auto& f : rulesfiles) loader.load(f);
		for(auto& t : loader.compile()) {
			if(!t.enabled || (!source_name.empty() && t.source != source_name)) {
				skipped.append(t.name);
				continue;
			}
			Rule r;
			r.name = t.name;
			r.cond = t.cond;
			r.output = t.output;
			r.priority = t.priority;
			rules.push_back(std::move(r));
		}
	} catch(const std::exception& e) { return fail(2, "rules", e.what()); }
	for(size_t i = 0; i < filters.size(); i++) {
		Rule r;
		r.name = "filter" + std::to_string(i);
		r.cond = filters[i];
		r.output = outfmt;
		rules.push_back(std::move(r));
	}
	if(rules.empty() && rulesfiles.empty()) {
		Rule r;
		r.name = "all";
		r.output = outfmt;
		rules.push_back(std::move(r));
	}
	int bad = 0;
	auto factory = std::make_shared<sinsp_filter_factory>(&inspector, *checks);
	for(auto& r : rules) {
		try {
			if(!r.cond.empty()) r.filter = sinsp_filter_compiler(factory, r.cond).compile();
		} catch(const std::exception& e) { bad += fail(1, "condition", e.what(), r.name); }
		try {
			// '*': print also when a field has no value, as Falco does
			r.out = std::make_unique<sinsp_evt_formatter>(&inspector, "*" + (r.output.empty() ? "%evt.num %evt.plugininfo" : r.output), *checks);
		} catch(const std::exception& e) { bad += fail(1, "output", e.what(), r.name); }
	}
	if(bad) return 2;
	if(compile_only) {
		Json::Value v;
		v["compiled"] = (Json::UInt64)rules.size();
		if(!skipped.empty()) v["skipped"] = skipped;
		std::cout << js(v) << std::endl;
		return 0;
	}

	try {
		if(!readfile.empty()) inspector.open_savefile(readfile);
		else if(source_plugin.empty()) return fail(1, "open", "no plugin with an event source");
		else inspector.open_plugin(source_plugin, open_params, sinsp_plugin_platform::SINSP_PLATFORM_GENERIC);
	} catch(const std::exception& e) { return fail(1, "open", e.what()); }

	std::unique_ptr<sinsp_dumper> dumper;
	uint64_t nev = 0, timeouts = 0;
	std::string end = "eof", err;
	auto t0 = clk::now();
	auto secs = [&] { return std::chrono::duration<double>(clk::now() - t0).count(); };
	try {
		if(!writefile.empty()) {
			dumper = std::make_unique<sinsp_dumper>();
			dumper->open(&inspector, writefile, false);
		}
		inspector.start_capture();
		while(true) {
			if(nev >= max) { end = "max-events"; break; }
			sinsp_evt* ev = nullptr;
			int32_t rc = inspector.next(&ev);
			if(rc == SCAP_TIMEOUT || rc == SCAP_FILTERED_EVENT) {
				timeouts += rc == SCAP_TIMEOUT;
				if(secs() > max_seconds) { end = "max-seconds"; break; }
				continue;
			}
			if(rc == SCAP_EOF) break;
			if(rc != SCAP_SUCCESS) { end = "error"; err = inspector.getlasterr(); break; }
			nev++;
			if(dumper) dumper->dump(ev);
			for(auto& r : rules) {
				if(r.filter && !r.filter->run(ev)) continue;
				r.hits++;
				if(quiet) {
					if(first_only) break;
					continue;
				}
				Json::Value v;
				v["num"] = (Json::UInt64)ev->get_num();
				v["ts"] = (Json::UInt64)ev->get_ts();
				v["rule"] = r.name;
				if(!r.priority.empty()) v["priority"] = r.priority;
				std::string s;
				r.out->tostring_withformat(ev, s, sinsp_evt_formatter::OF_NORMAL);
				v["output"] = s;
				r.out->tostring_withformat(ev, s, sinsp_evt_formatter::OF_JSON);
				Json::Value fv;
				std::string perr;
				std::unique_ptr<Json::CharReader> rd(Json::CharReaderBuilder().newCharReader());
				if(rd->parse(s.data(), s.data() + s.size(), &fv, &perr)) v["fields"] = fv;
				std::cout << js(v) << "\n";
				if(first_only) break;
			}
		}
		inspector.stop_capture();
	} catch(const std::exception& e) {
		end = "error";
		err = e.what();
	}
	Json::Value v;
	v["end"] = end;
	if(!err.empty()) v["error"] = err;
	v["events"] = (Json::UInt64)nev;
	v["timeouts"] = (Json::UInt64)timeouts;
	v["seconds"] = secs();
	for(auto& r : rules) v["hits"][r.name] = (Json::UInt64)r.hits;
	if(!skipped.empty()) v["skipped"] = skipped;
	if(dumper) dumper->close();
	std::cout << js(v) << std::endl;
	inspector.close();
	return end == "error" ? 3 : 0;
}
