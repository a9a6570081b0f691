// What the items of a rules file hold, and what the condition of a rule comes to: with its exceptions behind it, and lists and
// macros put in. The reader is falco-rules.hpp.
#pragma once
#include <libsinsp/filter/parser.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace falco_rules {

struct Error : std::runtime_error { using std::runtime_error::runtime_error; };

// a scalar or a list of them, as `fields`, `comps` and each of `values` are
struct Entry {
	bool given = false, is_list = false;
	std::string item;
	std::vector<Entry> items;
};

struct Exception {
	std::string name, where;
	Entry fields, comps;
	std::vector<Entry> values;
};

struct RuleText {
	std::string name, source, cond, desc, output, priority;
	std::vector<std::string> tags;
	std::vector<Exception> exceptions;
	bool enabled = true;
};

// `first` and `last`: the number of the item that defined it first, and of the one that changed it last
struct List { std::string name; std::vector<std::string> items; size_t first, last; };
struct Macro { std::string name, cond; size_t first, last; };

template<typename T> auto find(T& in, const std::string& name) {
	return std::find_if(in.begin(), in.end(), [&](const auto& x) { return x.name == name; });
}

inline bool is_operator(const std::string& op, bool for_lists = false) {
	auto ops = libsinsp::filter::parser::supported_operators(for_lists);
	return std::find(ops.begin(), ops.end(), op) != ops.end();
}

// as in Falco, only a blank makes quotes; whoever has brackets or commas writes them himself
inline std::string quoted(const std::string& s) {
	return s.find(' ') != std::string::npos && s[0] != '"' && s[0] != '\'' ? "\"" + s + "\"" : s;
}

inline std::string with_exceptions(const std::string& cond, const std::vector<Exception>& exs) {
	std::string out = "(" + cond + ")";
	for(const auto& e : exs) {
		auto no = [&](const std::string& what) { throw Error(e.where + ": exception '" + e.name + "': " + what); };
		std::string c;
		for(const auto& v : e.values) {
			if(!e.fields.is_list) {
				if(v.is_list) no("expected a list of texts as values");
				c += (c.empty() ? e.fields.item + " " + e.comps.item + " (" : ", ") + quoted(v.item);
				continue;
			}
			if(v.items.size() != e.fields.items.size()) no("fields and values must have equal length");
			std::string one;
			for(size_t k = 0; k < v.items.size(); k++) {
				const auto& x = v.items[k];
				const auto& op = e.comps.items[k].item;
				std::string rhs;
				if(x.is_list) {
					for(const auto& y : x.items) rhs += (rhs.empty() ? "" : ", ") + quoted(y.item);
					rhs = "(" + rhs + ")";
				} else if(is_operator(op, true)) rhs = x.item[0] == '(' ? x.item : "(" + x.item + ")";
				else rhs = quoted(x.item);
				one += (one.empty() ? "" : " and ") + e.fields.items[k].item + " " + op + " " + rhs;
			}
			c += (c.empty() ? "(" : " or (") + one + ")";
		}
		if(!c.empty()) out += " and not (" + c + (e.fields.is_list ? "" : ")") + ")";
	}
	return out;
}

inline std::string items_of(const List& l, const std::vector<List>& lists) {
	std::string s;
	auto add = [&](const std::string& v) { s += (s.empty() ? "" : ", ") + quoted(v); };
	for(const auto& it : l.items) {
		auto ref = find(lists, it);
		if(ref != lists.end() && ref->first < l.last)
			for(const auto& v : ref->items) add(v);
		else add(it);
	}
	return s;
}

// replaces whole words outside of quotes: lists by their items, macros by (their condition)
inline std::string expand(const std::string& in, const std::vector<List>& lists, const std::vector<Macro>& macros,
                          size_t sees = SIZE_MAX, int depth = 0) {
	static const std::string delims = " \t\r\n(),=!<>";
	if(depth > 100) throw Error("macros refer to each other in a circle");
	std::string out, word;
	char q = 0;
	auto flush = [&] {
		if(auto l = find(lists, word); l != lists.end()) {
			auto items = items_of(*l, lists);
			// an empty list takes a comma beside it along
			if(auto end = out.find_last_not_of(" \t\r\n"); items.empty() && end != std::string::npos && out[end] == ',') out.erase(end);
			out += items;
		} else if(auto m = find(macros, word); m != macros.end() && m->first < sees)
			out += "(" + expand(m->cond, lists, macros, m->last, depth + 1) + ")";
		else out += word;
		word.clear();
	};
	for(size_t i = 0; i < in.size(); i++) {
		char c = in[i];
		if(q) {
			out += c;
			if(c == '\\' && i + 1 < in.size()) out += in[++i];
			else if(c == q) q = 0;
		} else if(c == '"' || c == '\'') { flush(); out += q = c; }
		else if(delims.find(c) != std::string::npos) { flush(); out += c; }
		else word += c;
	}
	flush();
	return out;
}

} // namespace falco_rules
