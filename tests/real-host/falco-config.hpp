// What a Falco configuration says of one plugin: init_config as the JSON that Falco hands over, and open_params.
//
// Falco makes JSON of YAML by trying (userspace/engine/yaml_helper.h): int, then double, then bool, then text, and quotes do
// not count. So the account "111122223333" arrives as 111122223333.0, "012345678901" as 12345678901.0, and "yes" as true.
#pragma once
#include <json/json.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace falco_config {

struct Plugin { bool found = false; std::string init, open; };

// ${NAME} is the environment's, $${NAME} the text ${NAME}
inline std::string with_env(std::string v) {
	for(size_t at = v.find('$'); at != std::string::npos; at = v.find('$', at)) {
		bool literal = v.compare(at, 3, "$${") == 0;
		auto end = v.find('}', at);
		if((!literal && v.compare(at, 2, "${") != 0) || end == std::string::npos) { at++; continue; }
		if(literal) { v.erase(at, 1); at = end; continue; }
		const char* env = std::getenv(v.substr(at + 2, end - at - 2).c_str());
		v.replace(at, end - at + 1, env ? env : "");
		at += env ? std::string(env).size() : 0;
		if(at >= v.size()) break;
	}
	return v;
}

inline Json::Value json(const YAML::Node& n) {
	Json::Value out;
	if(n.IsMap()) {
		for(const auto& kv : n) out[kv.first.as<std::string>()] = json(kv.second);
	} else if(n.IsSequence()) {
		for(const auto& x : n) out.append(json(x));
	} else if(n.IsScalar()) {
		YAML::Node s(with_env(n.Scalar()));
		int i;
		double d;
		bool b;
		if(YAML::convert<int>::decode(s, i)) out = i;
		else if(YAML::convert<double>::decode(s, d)) out = d;
		else if(YAML::convert<bool>::decode(s, b)) out = b;
		else out = s.Scalar();
	}
	return out;
}

inline Plugin plugin(const std::string& path, const std::string& name) {
	Plugin out;
	auto root = YAML::LoadFile(path);
	bool loaded = !root["load_plugins"];
	for(const auto& x : root["load_plugins"]) loaded = loaded || x.as<std::string>() == name;
	for(const auto& p : root["plugins"]) {
		if(!loaded || p["name"].as<std::string>() != name) continue;
		if(!p["library_path"]) throw std::runtime_error(path + ": plugin " + name + " has no library_path");
		auto init = p["init_config"];
		Json::StreamWriterBuilder b;
		b["indentation"] = "";
		out.found = true;
		out.init = !init ? "" : init.IsScalar() ? with_env(init.Scalar()) : Json::writeString(b, json(init));
		if(p["open_params"]) out.open = with_env(p["open_params"].as<std::string>());
	}
	return out;
}

} // namespace falco_config
