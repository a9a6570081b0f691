// Falco's rule language as a plugin's rules use it, read the way Falco itself reads it:
// lists, macros, rules, exceptions (fields, comps, values), `append: true`, `override`,
// `enabled`, required_engine_version, required_plugin_versions with alternatives.
//
// What it means is written down in Falco's documentation and in userspace/engine/rule_loader_*:
// - a rule sees every list and macro of all files; a macro sees those whose *first* definition
//   stands above its own last one; a list's items are expanded once, not again inside of those;
// - a later definition of the same name takes the place of the earlier one, in its position;
// - an appended condition is added as text, after a blank;
// - exceptions come last: (condition) and not (values of the first) and not (…).
// What this reader does not know is refused, never ignored: a test that passes here must pass
// in Falco.
#pragma once
#include "falco-conditions.hpp"

#include <libsinsp/version.h>

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>

namespace falco_rules {

class Rules {
public:
	// engine: the version of Falco's engine to stand for; plugins: (name, version) of those loaded
	Rules(sinsp_version engine, std::vector<std::pair<std::string, sinsp_version>> plugins):
	        m_engine(std::move(engine)), m_plugins(std::move(plugins)) {}

	void load(const std::string& path) {
		m_path = path;
		for(const auto& doc : YAML::LoadAllFromFile(path)) {
			if(!doc.IsDefined() || doc.IsNull()) continue;
			if(!doc.IsSequence()) throw Error(path + ": rules content is not a YAML list");
			for(const auto& n : doc) {
				if(n.IsNull()) continue;
				need(n, n.IsMap(), "an item is not a map");
				read(n);
			}
		}
	}

	// every rule in its place, the disabled ones too, lists and macros and exceptions put in
	std::vector<RuleText> compile() const {
		std::vector<RuleText> out = m_rules;
		for(auto& r : out) {
			auto c = r.cond;
			if(!r.exceptions.empty()) c = with_exceptions(c, r.exceptions);
			r.cond = expand(c, m_lists, m_macros);
		}
		return out;
	}

private:
	sinsp_version m_engine;
	std::vector<std::pair<std::string, sinsp_version>> m_plugins;
	std::string m_path;
	size_t m_next = 0;
	std::vector<List> m_lists;
	std::vector<Macro> m_macros;
	std::vector<RuleText> m_rules;

	[[noreturn]] void bad(const YAML::Node& n, const std::string& what) const {
		throw Error(where(n) + ": " + what);
	}
	std::string where(const YAML::Node& n) const { return m_path + ":" + std::to_string(n.Mark().line + 1); }
	void need(const YAML::Node& n, bool ok, const std::string& what) const {
		if(!ok) bad(n, what);
	}
	std::string text(const YAML::Node& n, const char* key) const {
		auto v = n[key];
		need(n, v.IsDefined() && !v.IsNull(), std::string("no mapping for key '") + key + "'");
		need(v, v.IsScalar() && !v.Scalar().empty(), std::string("'") + key + "' is not a text");
		return v.Scalar();
	}
	std::vector<std::string> texts(const YAML::Node& n, const char* key) const {
		std::vector<std::string> out;
		auto v = n[key];
		need(n, v.IsDefined() && v.IsSequence(), std::string("'") + key + "' is not a list");
		for(const auto& x : v) {
			need(x, x.IsScalar(), std::string("an element of '") + key + "' is not a scalar");
			out.push_back(x.Scalar());
		}
		return out;
	}
	bool flag(const YAML::Node& n, const char* key, bool otherwise) const {
		if(!n[key]) return otherwise;
		bool b;
		need(n[key], YAML::convert<bool>::decode(n[key], b), std::string("'") + key + "' is not a bool");
		return b;
	}
	void only(const YAML::Node& n, const std::set<std::string>& known) const {
		for(const auto& kv : n)
			if(!known.count(kv.first.Scalar())) bad(kv.first, "unknown key '" + kv.first.Scalar() + "'");
	}
	static std::string priority(std::string p) {
		static const std::vector<std::string> all = {"Emergency", "Alert", "Critical", "Error", "Warning",
		                                             "Notice", "Informational", "Debug"};
		for(auto& c : p) c = std::tolower(c);
		if(p == "info") p = "informational";
		for(const auto& a : all) {
			auto l = a;
			l[0] = std::tolower(l[0]);
			if(l == p) return a;
		}
		return "";
	}
	std::string priority_of(const YAML::Node& n) const {
		auto p = priority(text(n, "priority"));
		need(n["priority"], !p.empty(), "invalid priority");
		return p;
	}

	void read(const YAML::Node& n) {
		if(n["required_engine_version"]) engine_version(n);
		else if(n["required_plugin_versions"]) plugin_versions(n);
		else if(n["list"]) list(n);
		else if(n["macro"]) macro(n);
		else if(n["rule"]) rule(n);
		else bad(n, "unknown top level item");
	}

	void engine_version(const YAML::Node& n) const {
		only(n, {"required_engine_version"});
		auto s = text(n, "required_engine_version");
		if(s.find_first_not_of("0123456789") == std::string::npos) s = "0." + s + ".0";
		sinsp_version v(s);
		need(n, v.is_valid(), "unable to parse engine version '" + s + "', expected x.y.z");
		need(n, m_engine.compatible_with(v), "rules require engine version " + s + ", but engine version is " + m_engine.as_string());
	}

	void plugin_versions(const YAML::Node& n) const {
		only(n, {"required_plugin_versions"});
		need(n, n["required_plugin_versions"].IsSequence(), "required_plugin_versions is not a list");
		for(const auto& p : n["required_plugin_versions"]) {
			std::vector<YAML::Node> any = {p};
			if(p["alternatives"])
				for(const auto& a : p["alternatives"]) any.push_back(a);
			std::string wanted;
			bool ok = false;
			for(const auto& a : any) {
				auto name = text(a, "name"), ver = text(a, "version");
				sinsp_version v(ver);
				need(a, v.is_valid(), "invalid required version '" + ver + "' for plugin '" + name + "'");
				wanted += (wanted.empty() ? "" : " or ") + name + " >= " + ver;
				for(const auto& [have, have_version] : m_plugins) ok = ok || (have == name && have_version.compatible_with(v));
			}
			need(p, ok, "plugin version requirement not satisfied, must load one of: " + wanted);
		}
	}

	// what `override` says of each key: append or replace; empty without an override
	std::map<std::string, std::string> overrides(const YAML::Node& n, const std::set<std::string>& can_append,
	                                             const std::set<std::string>& can_replace) const {
		std::map<std::string, std::string> out;
		if(!n["override"]) return out;
		need(n["override"], n["override"].IsMap(), "'override' is not a map");
		need(n, !flag(n, "append", false), "keys 'override' and 'append: true' cannot be used together");
		for(const auto& kv : n["override"]) {
			auto key = kv.first.Scalar(), op = kv.second.Scalar();
			need(kv.first, op == "append" || op == "replace", "invalid override operation '" + op + "' for key '" + key + "'");
			need(kv.first, op != "append" || can_append.count(key), "key '" + key + "' cannot be appended to");
			need(kv.first, op != "replace" || can_replace.count(key), "key '" + key + "' cannot be replaced");
			need(kv.first, n[key].IsDefined(), "an override for '" + key + "' was specified but '" + key + "' is not defined");
			out[key] = op;
		}
		return out;
	}

	template<typename T> void define(std::vector<T>& in, T t) {
		t.first = t.last = m_next++;
		if(auto prev = find(in, t.name); prev != in.end()) {
			t.first = prev->first;
			*prev = std::move(t);
		} else in.push_back(std::move(t));
	}

	void list(const YAML::Node& n) {
		only(n, {"list", "items", "append", "override"});
		List l{text(n, "list"), texts(n, "items"), 0, 0};
		auto o = overrides(n, {"items"}, {"items"});
		if(!flag(n, "append", false) && o["items"] != "append") return define(m_lists, std::move(l));
		auto prev = find(m_lists, l.name);
		need(n, prev != m_lists.end(), "list has 'append' but no list by that name already exists");
		prev->items.insert(prev->items.end(), l.items.begin(), l.items.end());
		prev->last = m_next++;
	}

	void macro(const YAML::Node& n) {
		only(n, {"macro", "condition", "append", "override"});
		Macro m{text(n, "macro"), text(n, "condition"), 0, 0};
		auto o = overrides(n, {"condition"}, {"condition"});
		if(!flag(n, "append", false) && o["condition"] != "append") return define(m_macros, std::move(m));
		auto prev = find(m_macros, m.name);
		need(n, prev != m_macros.end(), "macro has 'append' but no macro by that name already exists");
		prev->cond += " " + m.cond;
		prev->last = m_next++;
	}

	Entry entry(const YAML::Node& n) const {
		Entry e;
		e.given = true;
		if(n.IsScalar()) {
			need(n, !n.Scalar().empty(), "an empty value in an exception");
			e.item = n.Scalar();
		} else {
			need(n, n.IsSequence(), "an exception holds neither a text nor a list");
			e.is_list = true;
			for(const auto& x : n) e.items.push_back(entry(x));
		}
		return e;
	}

	std::vector<Exception> exceptions(const YAML::Node& n, bool update) const {
		std::vector<Exception> out;
		auto exs = n["exceptions"];
		if(!exs || exs.IsNull()) return out;
		need(exs, exs.IsSequence(), "exceptions are not a list");
		for(const auto& x : exs) {
			need(x, x.IsMap(), "an exception is not a map");
			only(x, {"name", "fields", "comps", "values"});
			Exception e;
			e.name = text(x, "name");
			e.where = where(x);
			need(x, find(out, e.name) == out.end(), "two exceptions with the name '" + e.name + "'");
			need(x, update || x["fields"], "exception '" + e.name + "' has no fields");
			if(x["fields"]) e.fields = entry(x["fields"]);
			if(x["comps"]) e.comps = entry(x["comps"]);
			if(x["values"]) {
				need(x["values"], x["values"].IsSequence(), "values of an exception are not a list");
				for(const auto& v : x["values"]) e.values.push_back(entry(v));
			}
			out.push_back(std::move(e));
		}
		return out;
	}

	static Exception checked(Exception e) {
		auto no = [&](const std::string& what) { throw Error(e.where + ": exception '" + e.name + "': " + what); };
		if(!e.fields.given) no("has no fields");
		if(e.fields.is_list) {
			if(!e.comps.given) {
				e.comps.given = e.comps.is_list = true;
				for(size_t i = 0; i < e.fields.items.size(); i++) e.comps.items.push_back(Entry{true, false, "=", {}});
			}
			if(!e.comps.is_list || e.comps.items.size() != e.fields.items.size()) no("fields and comps must have equal length");
			for(const auto& c : e.comps.items)
				if(!is_operator(c.item)) no("'" + c.item + "' is not a comparison operator");
		} else {
			if(!e.comps.given) e.comps = Entry{true, false, "in", {}};
			if(e.comps.is_list) no("fields and comps must both be texts");
			if(e.comps.item != "in" && e.comps.item != "pmatch" && e.comps.item != "intersects")
				no("comps of a single field must be one of in, pmatch, intersects");
		}
		return e;
	}

	void add(RuleText& r, const std::vector<Exception>& more) const {
		for(const auto& e : more) {
			auto prev = find(r.exceptions, e.name);
			if(prev == r.exceptions.end()) {
				if(e.values.empty()) throw Error(e.where + ": exception '" + e.name + "' has no values");
				r.exceptions.push_back(checked(e));
				continue;
			}
			if(e.fields.given || e.comps.given)
				throw Error(e.where + ": only values can be appended to the exception '" + e.name + "'");
			prev->values.insert(prev->values.end(), e.values.begin(), e.values.end());
		}
	}

	void rule(const YAML::Node& n) {
		static const std::set<std::string> can_append = {"condition", "output", "desc", "tags", "exceptions"};
		static const std::set<std::string> can_replace = {"condition", "output", "desc", "priority", "tags", "exceptions",
		                                                  "enabled", "warn_evttypes", "skip-if-unknown-filter"};
		only(n, {"rule", "desc", "condition", "output", "priority", "source", "tags", "enabled", "exceptions", "append",
		         "override", "skip-if-unknown-filter", "warn_evttypes"});
		auto name = text(n, "rule");
		auto prev = find(m_rules, name);
		auto o = overrides(n, can_append, can_replace);
		if(flag(n, "append", false)) {
			need(n, n["condition"] || n["exceptions"], "appended rule must have exceptions or condition property");
			if(n["condition"]) o["condition"] = "append";
			if(n["exceptions"]) o["exceptions"] = "append";
		} else if(!o.empty()) {
			for(const auto& key : can_replace)
				need(n, !n[key] || o.count(key), "unexpected key '" + key + "': no corresponding entry under 'override' is defined");
		} else if(!n["condition"] && !n["output"] && !n["desc"] && !n["priority"]) {
			text(n, "enabled");
			need(n, prev != m_rules.end(), "rule has 'enabled' key but no rule by that name already exists");
			prev->enabled = flag(n, "enabled", true);
			return;
		} else {
			RuleText r{name, n["source"] ? text(n, "source") : "syscall", text(n, "condition"), text(n, "desc"), text(n, "output"), priority_of(n),
			           n["tags"] ? texts(n, "tags") : std::vector<std::string>(), {}, flag(n, "enabled", true)};
			r.output = trim(r.output);
			for(auto& e : exceptions(n, false)) r.exceptions.push_back(checked(std::move(e)));
			if(prev == m_rules.end()) m_rules.push_back(std::move(r));
			else {
				need(n, prev->source == r.source, "rule has been re-defined with a different source");
				*prev = std::move(r);
			}
			return;
		}
		need(n, prev != m_rules.end(), "rule has 'append' or 'override' but no rule by that name already exists");
		for(const auto& [key, op] : o) {
			bool app = op == "append";
			auto put = [&](std::string& to) { to = app ? to + " " + text(n, key.c_str()) : text(n, key.c_str()); };
			if(key == "condition") put(prev->cond);
			else if(key == "output") put(prev->output);
			else if(key == "desc") put(prev->desc);
			else if(key == "priority") prev->priority = priority_of(n);
			else if(key == "enabled") prev->enabled = flag(n, "enabled", true);
			else if(key == "tags") {
				if(!app) prev->tags.clear();
				for(auto& t : texts(n, "tags")) prev->tags.push_back(t);
			} else if(key == "exceptions") {
				if(app) add(*prev, exceptions(n, true));
				else {
					prev->exceptions.clear();
					for(auto& e : exceptions(n, true)) prev->exceptions.push_back(checked(std::move(e)));
				}
			}
		}
	}

	static std::string trim(const std::string& s) {
		auto a = s.find_first_not_of(" \t\r\n"), b = s.find_last_not_of(" \t\r\n");
		return a == std::string::npos ? "" : s.substr(a, b - a + 1);
	}
};

} // namespace falco_rules
