//! Segments whose samples are sealed, and nothing else: `SAMPLE-AES` (Apple's "MPEG-2 Stream
//! Encryption Format for HTTP Live Streaming") of H.264 and AAC, in MPEG-TS or packed.
//!
//! What is opened goes back into the packets it came in: it is never longer.

use aes::Aes128;
use bytes::{Bytes, BytesMut};
use cbc::cipher::{Array, BlockModeDecrypt, KeyIvInit};
use flv::nalu;

use super::packed;
use super::transport::{self, Head, PACKET};
use crate::ingest::adts::Adts;

/// What of a slice is clear, of those that are longer than this and a block.
const CLEAR_HEAD: usize = 32;
/// What is clear behind each sealed block of a slice.
const CLEAR: usize = 144;
/// What is clear of a frame of sound, behind its header.
const CLEAR_SOUND: usize = 16;
const BLOCK: usize = 16;
/// Stream types of what is sealed, and of the same in the clear.
const PICTURES: (u8, u8) = (0xdb, 0x1b);
const SOUND: (u8, u8) = (0xcf, 0x0f);

/// A segment in the clear.
pub(super) fn opened(sealed: Bytes, key: &[u8; 16], iv: &[u8; 16]) -> Bytes {
    let opener = Opener { key, iv };
    let mut segment = BytesMut::from(sealed);
    if transport::is_transport(&segment) {
        in_transport(&mut segment, opener);
    } else {
        let head = packed::Head::read(&segment).len;
        opener.sound(segment.get_mut(head..).unwrap_or_default());
    }
    segment.freeze()
}

/// Each slice and each frame is sealed by itself, from the same vector on.
#[derive(Clone, Copy)]
struct Opener<'a> {
    key: &'a [u8; 16],
    iv: &'a [u8; 16],
}

impl Opener<'_> {
    fn cipher(self) -> cbc::Decryptor<Aes128> {
        cbc::Decryptor::new(self.key.into(), self.iv.into())
    }

    /// Pictures in Annex B form.
    fn pictures(self, film: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(film.len());
        for unit in nalu::annex_b(film) {
            out.extend_from_slice(&[0, 0, 1]);
            let is_slice = unit.first().is_some_and(|head| matches!(head & 0x1f, 1 | 5));
            if is_slice && unit.len() > CLEAR_HEAD + BLOCK {
                let mut unit = unguarded(unit);
                self.slice(&mut unit);
                out.extend_from_slice(&unit);
            } else {
                out.extend_from_slice(unit);
            }
        }
        out
    }

    fn slice(self, unit: &mut [u8]) {
        let mut cipher = self.cipher();
        let mut rest = unit.get_mut(CLEAR_HEAD..).unwrap_or_default();
        // The last block is clear even where it is whole.
        while rest.len() > BLOCK {
            let (block, behind) = rest.split_at_mut(BLOCK);
            let (blocks, _) = Array::slice_as_chunks_mut(block);
            cipher.decrypt_blocks(blocks);
            rest = behind.get_mut(CLEAR..).unwrap_or_default();
        }
    }

    /// Frames of AAC behind one another.
    fn sound(self, mut rest: &mut [u8]) {
        while let Some(Adts { header, len, .. }) = Adts::read(rest) {
            let (frame, behind) = rest.split_at_mut(len);
            let sealed = frame.get_mut(header + CLEAR_SOUND..).unwrap_or_default();
            let (blocks, _) = Array::slice_as_chunks_mut(sealed);
            self.cipher().decrypt_blocks(blocks);
            rest = behind;
        }
    }
}

/// A unit without the bytes that keep start codes out of it: they were put in after it was sealed.
fn unguarded(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pictures,
    Sound,
}

/// A sealed stream, and the packets of what it sends at present.
struct Stream {
    pid: u16,
    kind: Kind,
    packets: Vec<usize>,
}

fn in_transport(segment: &mut [u8], opener: Opener<'_>) {
    let mut programs = Vec::new();
    let mut streams: Vec<Stream> = Vec::new();
    for n in 0..segment.len() / PACKET {
        let packet = &mut segment[n * PACKET..(n + 1) * PACKET];
        let Some(head) = Head::read(packet) else { continue };
        if head.begins && head.pid == 0 {
            programs = programs_in(&packet[head.payload]);
        } else if head.begins && programs.contains(&head.pid) {
            for (pid, kind) in cleared(&mut packet[head.payload]) {
                if streams.iter().all(|stream| stream.pid != pid) {
                    streams.push(Stream { pid, kind, packets: Vec::new() });
                }
            }
        } else if let Some(stream) = streams.iter_mut().find(|stream| stream.pid == head.pid) {
            if head.begins {
                let whole = std::mem::replace(&mut stream.packets, vec![n]);
                reopen(segment, &whole, stream.kind, opener);
            } else if !stream.packets.is_empty() {
                stream.packets.push(n);
            }
        }
    }
    for stream in streams {
        reopen(segment, &stream.packets, stream.kind, opener);
    }
}

/// A section of a table that lies in one packet (ISO/IEC 13818-1, 2.4.4), with its sum.
fn section(payload: &mut [u8], table: u8) -> Option<&mut [u8]> {
    let from = 1 + usize::from(*payload.first()?);
    let section = payload.get_mut(from..)?;
    let [id, high, low, ..] = *section else { return None };
    let len = 3 + (usize::from(high & 0x0f) << 8 | usize::from(low));
    if id == table { section.get_mut(..len) } else { None }
}

fn pid(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high & 0x1f, low])
}

/// Where the programs' own tables are.
fn programs_in(payload: &[u8]) -> Vec<u16> {
    let mut payload = payload.to_vec();
    let section = section(&mut payload, 0).unwrap_or_default();
    let entries = section.get(8..section.len().saturating_sub(4)).unwrap_or_default().chunks_exact(4);
    // Number 0 is the network's.
    entries.filter(|entry| entry[..2] != [0, 0]).map(|entry| pid(entry[2], entry[3])).collect()
}

/// A program's table says from now on that its streams are clear. Gives which ones are not.
fn cleared(payload: &mut [u8]) -> Vec<(u16, Kind)> {
    let mut sealed = Vec::new();
    let Some(section) = section(payload, 2) else { return sealed };
    let Some(end) = section.len().checked_sub(4).filter(|end| *end >= 12) else { return sealed };
    let mut at = 12 + (usize::from(section[10] & 0x0f) << 8 | usize::from(section[11]));
    while let Some(&[kind, high, low, len_high, len_low]) = section.get(at..at + 5).filter(|_| at + 5 <= end)
    {
        let found = match kind {
            kind if kind == PICTURES.0 => Some((Kind::Pictures, PICTURES.1)),
            kind if kind == SOUND.0 => Some((Kind::Sound, SOUND.1)),
            _ => None,
        };
        if let Some((kind, clear)) = found {
            section[at] = clear;
            sealed.push((pid(high, low), kind));
        }
        at += 5 + (usize::from(len_high & 0x0f) << 8 | usize::from(len_low));
    }
    let sum = crc(&section[..end]).to_be_bytes();
    section[end..].copy_from_slice(&sum);
    sealed
}

/// The sum of a section (ISO/IEC 13818-1, annex A).
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

/// Opens what these packets carry: one PES packet.
fn reopen(segment: &mut [u8], packets: &[usize], kind: Kind, opener: Opener<'_>) {
    let mut pes = Vec::with_capacity(packets.len() * PACKET);
    for n in packets {
        let packet = &segment[n * PACKET..(n + 1) * PACKET];
        pes.extend(Head::read(packet).into_iter().flat_map(|head| &packet[head.payload]));
    }
    // Behind nine bytes and what the last of them counts.
    let Some(from) = pes.get(8).map(|more| 9 + usize::from(*more)).filter(|from| *from <= pes.len()) else {
        return;
    };
    match kind {
        Kind::Sound => opener.sound(&mut pes[from..]),
        Kind::Pictures => {
            let film = opener.pictures(&pes[from..]);
            let shorter = (pes.len() - from).saturating_sub(film.len());
            let said = u16::from_be_bytes([pes[4], pes[5]]);
            // 0 is any length.
            if said > 0 {
                let len = usize::from(said).saturating_sub(shorter) as u16;
                pes[4..6].copy_from_slice(&len.to_be_bytes());
            }
            pes.truncate(from);
            pes.extend_from_slice(&film);
        }
    }
    spread(segment, packets, &pes);
}

/// Puts bytes into the packets' payloads, and stuffing before them where there is room left.
fn spread(segment: &mut [u8], packets: &[usize], mut bytes: &[u8]) {
    for (n, behind) in packets.iter().zip((0..packets.len()).rev()) {
        let packet = &mut segment[n * PACKET..(n + 1) * PACKET];
        let Some(Head { payload, .. }) = Head::read(packet) else { continue };
        // No packet is left without any: they are counted.
        let (now, rest) = bytes.split_at(payload.len().min(bytes.len().saturating_sub(behind)));
        stuff(packet, payload.start, payload.len() - now.len());
        packet[PACKET - now.len()..].copy_from_slice(now);
        bytes = rest;
    }
}

/// Makes a packet's adaptation field longer by so many bytes; its payload began at `from`.
fn stuff(packet: &mut [u8], from: usize, more: usize) {
    if more == 0 {
        return;
    }
    packet[from..from + more].fill(0xff);
    let flags = if packet[3] & 0x20 == 0 {
        packet[3] |= 0x20;
        packet[4] = (more - 1) as u8;
        (more > 1).then_some(5)
    } else {
        let was_empty = packet[4] == 0;
        packet[4] += more as u8;
        was_empty.then_some(5)
    };
    // The first of a field's bytes are its flags.
    flags.into_iter().for_each(|at| packet[at] = 0);
}

#[cfg(test)]
mod tests;
