//! The inverse of `SAMPLE-AES` in MPEG-TS, for tests: written by Apple's "MPEG-2 Stream Encryption
//! Format for HTTP Live Streaming", and itself tested with FFmpeg's decrypting.

use aes::Aes128;
use cbc::cipher::{Array, BlockModeEncrypt, KeyIvInit};

const PACKET: usize = 188;

/// A slice as it is sealed, and guarded against start codes.
fn sealed_unit(unit: &[u8], key: &[u8; 16], iv: &[u8; 16]) -> Vec<u8> {
    let is_sealed = matches!(unit[0] & 0x1f, 1 | 5) && unit.len() > 48;
    let mut unit = unit.to_vec();
    if !is_sealed {
        return unit;
    }
    let mut cipher = cbc::Encryptor::<Aes128>::new(key.into(), iv.into());
    let mut at = 32;
    while unit.len() - at > 16 {
        cipher.encrypt_blocks(Array::slice_as_chunks_mut(&mut unit[at..at + 16]).0);
        at = (at + 16 + 144).min(unit.len());
    }
    let mut out: Vec<u8> = Vec::new();
    for byte in unit {
        if byte <= 3 && out.ends_with(&[0, 0]) {
            out.push(3);
        }
        out.push(byte);
    }
    out
}

/// Frames of AAC in ADTS, each sealed by itself.
pub(crate) fn sealed_sound(sound: &mut [u8], key: &[u8; 16], iv: &[u8; 16]) {
    let mut at = 0;
    while at + 7 <= sound.len() {
        let header = if sound[at + 1] & 1 == 0 { 9 } else { 7 };
        let len = usize::from(sound[at + 3] & 3) << 11
            | usize::from(sound[at + 4]) << 3
            | usize::from(sound[at + 5]) >> 5;
        let from = (at + header + 16).min(at + len);
        let mut cipher = cbc::Encryptor::<Aes128>::new(key.into(), iv.into());
        cipher.encrypt_blocks(Array::slice_as_chunks_mut(&mut sound[from..at + len]).0);
        at += len;
    }
}

/// A stream of the film: what it sends at present, its last packet's number, and the first one's head.
struct Stream {
    pid: u16,
    is_sound: bool,
    pes: Vec<u8>,
    head: Vec<u8>,
    count: u8,
}

/// Seals H.264 and AAC in the segments of one film, in their order.
pub(crate) struct Sealer {
    key: [u8; 16],
    iv: [u8; 16],
    tables: Vec<u16>,
    streams: Vec<Stream>,
    out: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new(key: [u8; 16], iv: [u8; 16]) -> Self {
        Self { key, iv, tables: Vec::new(), streams: Vec::new(), out: Vec::new() }
    }

    pub(crate) fn segment(&mut self, film: &[u8]) -> Vec<u8> {
        film.chunks_exact(PACKET).for_each(|packet| self.packet(packet));
        (0..self.streams.len()).for_each(|n| self.flush(n));
        std::mem::take(&mut self.out)
    }

    fn packet(&mut self, packet: &[u8]) {
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let begins = packet[1] & 0x40 != 0;
        let from = if packet[3] & 0x20 != 0 { 5 + usize::from(packet[4]) } else { 4 };
        if let Some(n) = self.streams.iter().position(|stream| stream.pid == pid) {
            if begins {
                self.flush(n);
                self.streams[n].head = packet[..from].to_vec();
            }
            return self.streams[n].pes.extend(&packet[from..]);
        }
        let mut packet = packet.to_vec();
        if pid == 0 {
            let entry = &packet[from + 1 + 8..];
            self.tables = vec![u16::from_be_bytes([entry[2] & 0x1f, entry[3]])];
        } else if self.tables.contains(&pid) {
            self.table(&mut packet[from + 1..]);
        }
        self.out.extend(packet);
    }

    /// The program's table names what is sealed.
    fn table(&mut self, section: &mut [u8]) {
        let len = 3 + (usize::from(section[1] & 0x0f) << 8 | usize::from(section[2]));
        let mut at = 12 + (usize::from(section[10] & 0x0f) << 8 | usize::from(section[11]));
        while at < len - 4 {
            let pid = u16::from_be_bytes([section[at + 1] & 0x1f, section[at + 2]]);
            let sealed = match section[at] {
                0x1b => Some((0xdb, false)),
                0x0f => Some((0xcf, true)),
                _ => None,
            };
            if let Some((kind, is_sound)) = sealed {
                section[at] = kind;
                if self.streams.iter().all(|stream| stream.pid != pid) {
                    self.streams.push(Stream { pid, is_sound, pes: Vec::new(), head: Vec::new(), count: 15 });
                }
            }
            at += 5 + (usize::from(section[at + 3] & 0x0f) << 8 | usize::from(section[at + 4]));
        }
        let mut crc = u32::MAX;
        for byte in &section[..len - 4] {
            crc ^= u32::from(*byte) << 24;
            (0..8).for_each(|_| crc = crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 });
        }
        section[len - 4..len].copy_from_slice(&crc.to_be_bytes());
    }

    /// What a stream has sent is sealed, and packed anew.
    fn flush(&mut self, n: usize) {
        let (key, iv) = (&self.key, &self.iv);
        let stream = &mut self.streams[n];
        let mut pes = std::mem::take(&mut stream.pes);
        if pes.is_empty() {
            return;
        }
        let from = 9 + usize::from(pes[8]);
        if stream.is_sound {
            sealed_sound(&mut pes[from..], key, iv);
        } else {
            let film = pes.split_off(from);
            for unit in flv::nalu::annex_b(&film) {
                pes.extend([0, 0, 0, 1]);
                pes.extend(sealed_unit(unit, key, iv));
            }
            // Of any length.
            pes[4..6].fill(0);
        }
        let mut head = std::mem::take(&mut stream.head);
        let mut rest = &pes[..];
        while !rest.is_empty() {
            stream.count = (stream.count + 1) % 16;
            head[3] = head[3] & 0xf0 | stream.count;
            let mut room = PACKET - head.len();
            if rest.len() < room {
                let more = room - rest.len();
                if head[3] & 0x20 == 0 {
                    head[3] |= 0x20;
                    head.push((more - 1) as u8);
                    head.extend([0x00].iter().chain([0xff; PACKET].iter()).take(more - 1));
                } else {
                    head[4] += more as u8;
                    head.extend([0xff].repeat(more));
                }
                room = rest.len();
            }
            self.out.extend(&head);
            self.out.extend(&rest[..room]);
            rest = &rest[room..];
            head = vec![0x47, head[1] & 0x1f, head[2], 0x10];
        }
    }
}
