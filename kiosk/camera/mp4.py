"""Fragmented MP4 (ISO/IEC 14496-12) with one H.264 track (14496-15), in bytes that are appended. Pure.

A file is header() and then any number of fragment(): cut off after any of them it is whole. There is no place
for sound in it. decisions/001 says why this is not left to FFmpeg.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

TIMESCALE = 1_000_000
_BRAND = b"iso6" + struct.pack(">I", 1) + b"iso6" + b"avc1" + b"mp41"
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_NEXT = struct.pack(">24xI", 2)  # the next track's number
_SPS, _PPS, _DELIMITER = 7, 8, 9
# Sample flags: a key frame depends on no other and is one to begin at; the rest is neither.
_KEY, _NOT_KEY = 0x02000000, 0x01010000


class ParameterSets(NamedTuple):
    """What a decoder must know first: sequence and picture parameter sets, without start codes."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    def __bool__(self) -> bool:
        return bool(self.sps and self.pps)


class Sample(NamedTuple):
    """One picture: length-prefixed NAL units, decoding time and the time it is shown, both from the file's
    beginning, and how long until the next one; in microseconds."""

    data: bytes
    dts_us: int
    pts_us: int
    duration_us: int
    key: bool


def units(data: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B byte stream."""
    begin = data.find(b"\0\0\1")
    while begin >= 0:
        begin += 3
        end = data.find(b"\0\0\1", begin)
        unit = data[begin:] if end < 0 else data[begin:end]
        if unit := unit.rstrip(b"\0"):
            yield unit
        begin = end


def sets_of(data: bytes) -> ParameterSets:
    """The parameter sets in an avcC record or in an Annex B byte stream; empty where there are none."""
    if data[:1] == b"\1":
        return _sets_of_record(data)
    sps: dict[bytes, None] = {}
    pps: dict[bytes, None] = {}
    for unit in units(data):
        kind = unit[0] & 31
        if kind in (_SPS, _PPS):
            (sps if kind == _SPS else pps)[unit] = None
        elif kind in (1, 5):
            break  # pictures follow
    return ParameterSets(tuple(sps), tuple(pps))


def _sets_of_record(record: bytes) -> ParameterSets:
    found: list[tuple[bytes, ...]] = []
    at = 5
    for mask in (31, 255):
        if at >= len(record):
            return ParameterSets((), ())
        count, at = record[at] & mask, at + 1
        sets = []
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2])
            sets.append(record[at + 2 : at + 2 + size])
            at += 2 + size
        found.append(tuple(sets))
    return ParameterSets(found[0], found[1]) if at <= len(record) else ParameterSets((), ())


def prefixed(data: bytes, extradata: bytes) -> bytes:
    """A packet as a sample's bytes: four bytes of length before each unit, no delimiters, no parameter
    sets."""
    if extradata[:1] == b"\1":
        size = (extradata[4] & 3) + 1
        if size == 4:
            return data
        found, at = [], 0
        while at + size <= len(data):
            length = int.from_bytes(data[at : at + size])
            found.append(data[at + size : at + size + length])
            at += size + length
    else:
        found = [unit for unit in units(data) if unit[0] & 31 not in (_SPS, _PPS, _DELIMITER)]
    return b"".join(len(unit).to_bytes(4) + unit for unit in found)


def header(width: int, height: int, sets: ParameterSets) -> bytes:
    """The file's beginning: its type, and a movie with one video track and no samples."""
    return _box(b"ftyp", _BRAND) + _box(
        b"moov",
        _full(b"mvhd", 0, 0, struct.pack(">5IH10x", 0, 0, TIMESCALE, 0, 0x10000, 0x100), _MATRIX, _NEXT),
        _track(width, height, sets),
        _box(b"mvex", _full(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, _NOT_KEY))),
    )


def fragment(number: int, samples: Sequence[Sample]) -> bytes:
    """Samples in decoding order, at least one; `number` rises from 1."""
    flags = 0x000F01  # data offset; each sample's duration, size, flags and composition offset
    rows = b"".join(
        struct.pack(">3Ii", s.duration_us, len(s.data), _KEY if s.key else _NOT_KEY, s.pts_us - s.dts_us)
        for s in samples
    )

    def movie(offset: int) -> bytes:
        run = _full(b"trun", 1, flags, struct.pack(">Ii", len(samples), offset), rows)
        base = _full(b"tfdt", 1, 0, struct.pack(">Q", samples[0].dts_us))
        track = _full(b"tfhd", 0, 0x020000, struct.pack(">I", 1))  # offsets count from this moof
        return _box(b"moof", _full(b"mfhd", 0, 0, struct.pack(">I", number)), _box(b"traf", track, base, run))

    media = _box(b"mdat", *(s.data for s in samples))
    return movie(len(movie(0)) + 8) + media


def _track(width: int, height: int, sets: ParameterSets) -> bytes:
    size = struct.pack(">II", width << 16, height << 16)
    layer = struct.pack(">8x4H", 0, 0, 0, 0)
    table = [
        _full(b"stsd", 0, 0, struct.pack(">I", 1), _entry(width, height, sets)),
        *(_full(name, 0, 0, bytes(zeros)) for name, zeros in ((b"stts", 4), (b"stsc", 4), (b"stsz", 8))),
        _full(b"stco", 0, 0, bytes(4)),
    ]
    media = _box(
        b"minf",
        _full(b"vmhd", 0, 1, bytes(8)),
        _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))),
        _box(b"stbl", *table),
    )
    return _box(
        b"trak",
        _full(b"tkhd", 0, 3, struct.pack(">5I", 0, 0, 1, 0, 0), layer, _MATRIX, size),
        _box(
            b"mdia",
            _full(b"mdhd", 0, 0, struct.pack(">4I2H", 0, 0, TIMESCALE, 0, 0x55C4, 0)),
            _full(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"video\0"),
            media,
        ),
    )


def _entry(width: int, height: int, sets: ParameterSets) -> bytes:
    sps = sets.sps[0]
    record = bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE0 | len(sets.sps)])
    record += b"".join(len(unit).to_bytes(2) + unit for unit in sets.sps)
    record += bytes([len(sets.pps)]) + b"".join(len(unit).to_bytes(2) + unit for unit in sets.pps)
    if sps[1] in (100, 110, 122, 144):
        # 4:2:0 with eight bits, as every camera here gives it.
        record += bytes([0xFC | 1, 0xF8, 0xF8, 0])
    picture = struct.pack(">6xH16x2H2I4xH32xHh", 1, width, height, 0x480000, 0x480000, 1, 24, -1)
    return _box(b"avc1", picture, _box(b"avcC", record))


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, name) + body


def _full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)
