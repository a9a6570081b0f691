"""Checks docker-compose.yml against the schema, and that it does what docs/setup.md says of it."""

import json
import pathlib
import re
import sys

import jsonschema
import yaml

HOME = "/root"


def schema(venv):
    found = sorted(pathlib.Path(venv).glob("lib/python*/site-packages/compose/config/compose_spec.json"))
    return json.loads(found[0].read_text())


def check(condition, message):
    if not condition:
        sys.exit(f"docker-compose.yml: {message}")


def interpolated(text, given):
    """${NAME:-default} as Compose does it; no other form may be used, since one of them could end `up demo`."""
    check(not re.search(r"\$\{[A-Z_]+:?\?", text), "a variable is required: `docker compose up demo` would fail without it")
    return re.sub(r"\$\{([A-Z_]+):-([^}]*)\}", lambda m: given.get(m[1]) or m[2], text)


def main(path, venv):
    text = pathlib.Path(path).read_text()
    root = pathlib.Path(path).parent
    check(not re.search(r"^version:", text, re.M), "`version:` is obsolete")
    plain = interpolated(text, {"HOME": "/home/alice", "TFDRIFT_BUCKET": "my-trail"})
    check("${" not in plain, "a variable without a default")
    compose = yaml.safe_load(plain)
    # `name` and x- keys at the top came after the schema of 1.29.2: Compose v2 has them.
    old = {k: v for k, v in compose.items() if k != "name"}
    jsonschema.Draft7Validator(schema(venv)).validate(old)

    services = compose["services"]
    check(not services["falco"].get("profiles"), "falco must start by default")
    check(services["demo"]["profiles"] == ["demo"], "demo needs its profile")
    for name in ("falco", "doctor"):
        service = services[name]
        env = service["environment"]
        mounts = {v["target"]: v for v in service["volumes"]}
        check(mounts[f"{HOME}/.aws"]["read_only"] is True, f"{name}: ~/.aws must be mounted read-only")
        check(mounts[f"{HOME}/.aws"]["source"] == "/home/alice/.aws", f"{name}: the caller's ~/.aws")
        for variable, file in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
            check(env[variable] == f"{HOME}/.aws/{file}", f"{name}: {variable} must be the mounted file")
        check("AWS_PROFILE" in env, f"{name}: AWS_PROFILE")
        check(mounts["/var/lib/tfdrift"]["source"] in compose["volumes"], f"{name}: the checkpoint must outlive it")
    demo = json.dumps(services["demo"])
    check("AWS" not in demo and ".aws" not in demo, "demo must not need AWS")
    for name, service in services.items():
        check((root / service["build"]["dockerfile"]).is_file(), f"{name}: no such Dockerfile")
        for volume in service.get("volumes", []):
            source = volume["source"]
            check(not source.startswith("./") or (root / source).exists(), f"{name}: {source} does not exist")
    print("docker-compose.yml: valid, and as docs/setup.md says")


main(*sys.argv[1:])
