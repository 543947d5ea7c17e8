"""A second verifier of export bundles, by edge/evidence/bundle.md alone, with nothing but cryptography.

`python second_verifier.py BUNDLE KEY... SIZE:ROOT...` prints what it finds, one word a line, or 'ok'.
"""

import hashlib
import json
import sys
import uuid
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()


def signed(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
        return True
    except (ValueError, InvalidSignature):
        return False


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + root(leaves[:left]) + root(leaves[left:])).digest()


def check_files(archive, listing, found):
    content, listed = {}, listing["files"]
    for name in archive.namelist():
        if name in content or (name not in listed and name != "bundle.json"):
            found.add("altered")
        try:
            content[name] = archive.read(name)
        except zipfile.BadZipFile:
            content[name] = b""
    for name, file in listed.items():
        if name not in content or len(content[name]) < file["bytes"]:
            found.add("truncated" if name in content else "removed")
        elif sha(content[name]) != file["sha256"]:
            found.add("altered")
    return content


def check_log(content, listing, keys, heads, found):
    leaves = [content["leaves.bin"][at : at + 32] for at in range(0, len(content["leaves.bin"]) - 31, 32)]
    anchors = json.loads(content["heads.json"])
    head, known = anchors["head"], list(heads)
    named = [str(head[word]) for word in ("store", "log", "size", "root", "at_ms")]
    found |= set() if head["key"] in keys else {"unknown key"}
    true = signed(head["key"], head["signature"], "\n".join(["floorbell tree head 1", *named, ""]).encode())
    if not true or head["log"] != listing["log"]:
        found.add("altered")
    if len(leaves) != head["size"]:
        found.add("removed" if len(leaves) < head["size"] else "altered")
        return leaves, 0
    for one in anchors["witnesses"]:
        words = [head["store"], one["device"], head["log"], str(one["size"]), one["root"], str(one["at_ms"])]
        words += [f"before {b['size']} {b['root']} {b['restored_ms']}" for b in one.get("before", [])]
        true = signed(one["key"], one["signature"], "\n".join(["floorbell witness 1", *words, ""]).encode())
        if one["key"] in keys and true:
            known.append((one["size"], one["root"]))
        else:
            found.add("altered" if one["key"] in keys else "unknown key")
    true = {(n, wanted) for n, wanted in known if n <= len(leaves) and root(leaves[:n]).hex() == wanted}
    found |= {"removed" if n > len(leaves) else "altered" for n, wanted in known if (n, wanted) not in true}
    found |= set() if root(leaves).hex() == head["root"] else {"altered"}
    found |= set() if true else {"unanchored"}
    return leaves, max((n for n, _ in true), default=0)


def check_entries(content, leaves, found):
    places, entries, before = {leaf: at for at, leaf in enumerate(leaves)}, [], -1
    for raw in content["custody.jsonl"].splitlines():
        try:
            line = json.loads(raw)
            entry = json.loads(line["entry"])
        except ValueError:
            line = {"entry": "", "index": -1}
        place = places.get(hashlib.sha256(b"\x00" + line["entry"].encode()).digest())
        if place is None:
            found.add("altered")
        elif place != line["index"] or entry["index"] != line["index"] or line["index"] <= before:
            found.add("reordered")
        else:
            entries.append(entry)
            for field in ("actor", "reason"):
                text, salt = line[field], line[f"{field}_salt"]
                if (text, salt) != (None, None):
                    made = sha(f"{field}\n".encode(), bytes.fromhex(salt or ""), (text or "").encode())
                    if made != entry[field]:
                        found.add("altered")
        before = max(before, line["index"])
    return entries


def check_clip(clip, content, listing, entries, keys, found):
    folder = f"clips/{clip['clip']}"
    video, raw = content.get(f"{folder}/video.mp4"), content.get(f"{folder}/manifest.json")
    found |= set() if clip["key"] in keys else {"unknown key"}
    if video is None or raw is None:
        found.add("removed")
        return
    true = signed(
        clip["key"], clip["signature"], b"floorbell clip manifest 1\n" + hashlib.sha256(raw).digest()
    )
    sealed = [e["digest"] for e in entries if (e["subject"], e["action"]) == (clip["clip"], "sealed")]
    found |= set() if sealed else {"removed"}
    if not true or (sealed and sha(raw) not in sealed):
        found.add("replaced" if true else "altered")
        return
    manifest = json.loads(raw)
    if (manifest["clip"], manifest["device"]) != (clip["clip"], clip["device"]):
        found.add("replaced")
    elif sha(video) != manifest["footage"]["sha256"]:
        others = [content.get(f"clips/{c['clip']}/manifest.json", b"{}") for c in listing["clips"]]
        known = {json.loads(other).get("footage", {}).get("sha256") for other in others}
        short = len(video) < manifest["footage"]["bytes"]
        found.add("truncated" if short else "replaced" if sha(video) in known else "altered")


def check_incident(content, listing, exported, covered, found):
    raw, digests = content.get("incident.json"), {e["digest"] for e in exported} - {""}
    if not digests:
        found |= {"altered"} if raw is not None else set()
        return
    if raw is None:
        found.add("removed")
    elif sha(raw) not in digests:
        try:
            file = json.loads(raw)
            other = uuid.UUID(file["export"]) != uuid.UUID(listing["export"])
            other = other and file["format"] == "floorbell-incident-1"
        except (ValueError, KeyError, TypeError, AttributeError):
            other = False
        found.add("replaced" if other else "altered")
    else:
        here = {clip["clip"] for clip in listing["clips"]}
        wanted = {clip["clip"] for clip in json.loads(raw)["clips"] if clip["included"]}
        found |= {"removed"} if wanted - here else set()
    found |= {"unanchored"} if all(e["index"] >= covered for e in exported) else set()


def verify(path, keys, heads=()):
    found = set()
    with zipfile.ZipFile(path) as archive:
        listing = json.loads(archive.read("bundle.json"))
        content = check_files(archive, listing, found)
    if not {"custody.jsonl", "leaves.bin", "heads.json"} <= set(content):
        return found
    leaves, covered = check_log(content, listing, keys, heads, found)
    entries = check_entries(content, leaves, found)
    for clip in listing["clips"]:
        check_clip(clip, content, listing, entries, keys, found)
    exported = [e for e in entries if (e["subject"], e["action"]) == (listing["export"], "exported")]
    if exported:
        check_incident(content, listing, exported, covered, found)
    else:
        found.add("removed")
    return found or {"ok"}


if __name__ == "__main__":
    known = [word.split(":") for word in sys.argv[2:] if ":" in word]
    keys = {word for word in sys.argv[2:] if ":" not in word}
    print("\n".join(sorted(verify(sys.argv[1], keys, [(int(size), head) for size, head in known]))))
