//! Numbers as bytes that are never zero, so that no start code can arise.

/// Writes each byte as two of 0x40 to 0x4f, and keeps a sum.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    sum: u32,
}

impl Writer {
    /// After `header`, which is written as it is.
    pub(super) fn after(header: &[u8]) -> Self {
        Self { bytes: header.to_vec(), sum: 1 }
    }
    pub(super) fn put(&mut self, data: &[u8]) {
        for &byte in data {
            self.sum = self.sum.rotate_left(5) ^ u32::from(byte);
            self.bytes.extend([0x40 | byte >> 4, 0x40 | byte & 15]);
        }
    }
    /// With the sum at the end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let sum = self.sum.to_be_bytes();
        self.put(&sum);
        self.bytes
    }
}

/// Reads what [`Writer`] wrote; `None` where it did not write.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    sum: u32,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, sum: 1 }
    }
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut out = [0; N];
        let (mine, rest) = self.bytes.split_at_checked(2 * N)?;
        for (out, pair) in out.iter_mut().zip(mine.chunks_exact(2)) {
            if (pair[0] | pair[1]) & 0xf0 != 0x40 {
                return None;
            }
            *out = pair[0] << 4 | pair[1] & 15;
            self.sum = self.sum.rotate_left(5) ^ u32::from(*out);
        }
        self.bytes = rest;
        Some(out)
    }
    /// Whether the sum is right and nothing follows it.
    pub(super) fn finish(mut self) -> Option<()> {
        let sum = self.sum;
        (u32::from_be_bytes(self.take()?) == sum && self.bytes.is_empty()).then_some(())
    }
}
