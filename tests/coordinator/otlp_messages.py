# SPDX-License-Identifier: Apache-2.0
"""Decodes ExportTraceServiceRequest strictly: what is not in the schema, or not of its type, is an error.

The schema is that of opentelemetry-proto 1.x, as far as a tracer may use it. Where Python has that package
(opentelemetry-proto), the same bytes also go through its classes, and both must give the same.
"""
import json
import struct

ANY = {1: ("stringValue", "string"), 2: ("boolValue", "bool"), 3: ("intValue", "int64"), 4: ("doubleValue", "double")}
PAIR = {1: ("key", "string"), 2: ("value", ANY)}
RESOURCE = {1: ("attributes", [PAIR]), 2: ("droppedAttributesCount", "uint32")}
SCOPE = {1: ("name", "string"), 2: ("version", "string"), 3: ("attributes", [PAIR])}
STATUS = {2: ("message", "string"), 3: ("code", "enum")}
SPAN = {1: ("traceId", "bytes"), 2: ("spanId", "bytes"), 3: ("traceState", "string"), 4: ("parentSpanId", "bytes"),
        5: ("name", "string"), 6: ("kind", "enum"), 7: ("startTimeUnixNano", "fixed64"),
        8: ("endTimeUnixNano", "fixed64"), 9: ("attributes", [PAIR]), 15: ("status", STATUS), 16: ("flags", "fixed32")}
SCOPE_SPANS = {1: ("scope", SCOPE), 2: ("spans", [SPAN]), 3: ("schemaUrl", "string")}
RESOURCE_SPANS = {1: ("resource", RESOURCE), 2: ("scopeSpans", [SCOPE_SPANS]), 3: ("schemaUrl", "string")}
REQUEST = {1: ("resourceSpans", [RESOURCE_SPANS])}
WIRE = {"bool": 0, "int64": 0, "uint32": 0, "enum": 0, "double": 1, "fixed64": 1, "string": 2, "bytes": 2, "fixed32": 5}


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a varint that does not end")


def read_scalar(kind, wire, data, at):
    if wire == 0:
        value, at = read_varint(data, at)
        return (bool(value) if kind == "bool" else value), at
    if wire == 2:
        length, at = read_varint(data, at)
        if at + length > len(data):
            raise ValueError("a field that leaves its message")
        raw = bytes(data[at:at + length])
        return (raw.decode("utf-8") if kind == "string" else raw), at + length
    form, size = {"double": ("<d", 8), "fixed64": ("<Q", 8), "fixed32": ("<I", 4)}[kind]
    return struct.unpack(form, data[at:at + size])[0], at + size


def decode_protobuf(data, schema=REQUEST):
    message, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag >> 3 not in schema:
            raise ValueError(f"field {tag >> 3} is not in the schema")
        name, kind = schema[tag >> 3]
        inner = kind[0] if isinstance(kind, list) else kind
        wire = WIRE.get(inner, 2) if isinstance(inner, str) else 2
        if tag & 7 != wire:
            raise ValueError(f"{name}: wire type {tag & 7}, not {wire}")
        if isinstance(inner, str):
            value, at = read_scalar(inner, wire, data, at)
        else:
            raw, at = read_scalar("bytes", 2, data, at)
            value = decode_protobuf(raw, inner)
        if isinstance(kind, list):
            message.setdefault(name, []).append(value)
        elif name in message:
            raise ValueError(f"{name} is there twice")
        else:
            message[name] = value
    return message


def check_json_value(kind, value):
    if kind in ("int64", "fixed64"):
        if not isinstance(value, str):
            raise ValueError("numbers of 64 bits are strings")
        return int(value)
    if kind == "bytes":
        if value != value.lower():
            raise ValueError("ids are in lower case")
        return bytes.fromhex(value)
    expected = {"string": str, "bool": bool, "enum": int, "uint32": int, "fixed32": int, "double": (int, float)}[kind]
    if not isinstance(value, expected) or (kind == "enum" and isinstance(value, bool)):
        raise ValueError(f"{value!r} is no {kind}")
    return value


def decode_json(value, schema=REQUEST):
    kinds = dict(schema.values())
    message = {}
    for name, member in value.items():
        if name not in kinds:
            raise ValueError(f"{name} is not in the schema")
        kind = kinds[name]
        if isinstance(kind, list):
            message[name] = [decode_json(item, kind[0]) for item in member]
        else:
            message[name] = decode_json(member, kind) if isinstance(kind, dict) else check_json_value(kind, member)
    return message


def plain(value):
    """Of the official classes' message, what decode_protobuf gives."""
    message = {}
    for field, item in value.ListFields():
        name = field.json_name
        is_message = field.message_type is not None
        # is_repeated came with protobuf 6.
        repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
        if repeated:
            message[name] = [plain(one) if is_message else one for one in item]
        else:
            message[name] = plain(item) if is_message else item
    return message


def without_defaults(value):
    """The official classes do not tell a zero from nothing, but for members of a choice (intValue)."""
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned = {name: without_defaults(item) for name, item in value.items()}
    return {name: item for name, item in cleaned.items() if item or name.endswith("Value")}


def decode(content_type, body):
    """The message; ValueError where it is not one."""
    if content_type == "application/json":
        return decode_json(json.loads(body))
    if content_type != "application/x-protobuf":
        raise ValueError(f"Content-Type {content_type}")
    message = decode_protobuf(body)
    try:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    except ImportError:
        return message
    official = plain(trace_service_pb2.ExportTraceServiceRequest.FromString(body))
    if official != without_defaults(message):
        raise ValueError("the official classes read it otherwise")
    return message


def attributes(pairs):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in pairs or []}


def spans_of(message):
    """Flat, with the attributes of the resource beside them."""
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield {**span, "attributes": attributes(span.get("attributes")),
                       "resource": attributes(resource["resource"]["attributes"]), "scope": scope["scope"]}
