#!/usr/bin/python3
"""image.py - an image archive of one directory, in OCI's layout and in Docker's
at once, so that every engine can load it without a registry.

usage: image.py OUT.tar NAME:TAG DIRECTORY [COMMAND...]
"""
import hashlib
import io
import json
import sys
import tarfile

out, name, directory, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]


def of_root(info):
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as t:
    t.add(directory, ".", filter=of_root)
layer = layer.getvalue()
files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}


def blob(data, kind):
    """Its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    files["blobs/sha256/" + digest] = data
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": "sha256:" + digest, "size": len(data)}


def path(descriptor):
    return descriptor["digest"].replace("sha256:", "blobs/sha256/")


layers = [blob(layer, "layer.v1.tar")]
config = blob(json.dumps({
    "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layers[0]["digest"]]},
    "config": {"Cmd": command, "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "WorkingDir": "/"},
}).encode(), "config.v1+json")
manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                            "config": config, "layers": layers}).encode(), "manifest.v1+json")
manifest["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.split(":")[-1]}
files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode()
files["manifest.json"] = json.dumps([{"Config": path(config), "RepoTags": [name], "Layers": [path(d) for d in layers]}]).encode()
with tarfile.open(out, "w") as t:
    for file, data in files.items():
        info = tarfile.TarInfo(file)
        info.size, info.mode = len(data), 0o644
        t.addfile(info, io.BytesIO(data))
