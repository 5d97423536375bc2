//! AAC: the AudioSpecificConfig that an AAC sequence header carries.
//!
//! Source: ISO/IEC 14496-3, 1.6.2.1 and 4.4.1.

use bytes::Bytes;

use crate::body::BodyError;

/// Sampling frequency indexes 0 to 12.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// The index that says the rate follows in 24 bits.
const EXPLICIT: u8 = 15;
/// The highest object type there is.
const MAX_OBJECT_TYPE: u8 = 95;

/// What an AAC decoder must know: object type, rate and channels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AudioSpecificConfig {
    object_type: u8,
    rate: u32,
    channel_config: u8,
    extension: Option<Extension>,
}

/// Spectral band replication, as it is signalled in front (HE-AAC).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Extension {
    /// 5 for HE-AAC, 29 for HE-AAC version 2 (parametric stereo).
    pub object_type: u8,
    /// Samples a second after the extension.
    pub rate: u32,
}

impl AudioSpecificConfig {
    /// AAC-LC: object type 2.
    pub const LC: u8 = 2;

    /// A plain configuration of 1 to 8 channels in their usual order.
    ///
    /// # Errors
    /// An object type outside 1 to 95, or one that means an extension (5, 29, 31);
    /// a rate outside 1 to 2^24 - 1; channels outside 1 to 6 or 8.
    pub fn new(object_type: u8, rate: u32, channels: u8) -> Result<Self, BodyError> {
        if !(1..=MAX_OBJECT_TYPE).contains(&object_type) || matches!(object_type, 5 | 29 | 31) {
            let legal = "1 to 95 but 5, 29 and 31";
            return Err(BodyError::illegal("AAC object type", 0, object_type.into(), legal));
        }
        if !(1..1 << 24).contains(&rate) {
            return Err(BodyError::illegal("AAC rate", 0, rate.into(), "1 to 16777215"));
        }
        let channel_config = match channels {
            1..=6 => channels,
            8 => 7,
            got => return Err(BodyError::illegal("AAC channels", 0, got.into(), "1 to 6 or 8")),
        };
        Ok(Self { object_type, rate, channel_config, extension: None })
    }

    /// Reads the front of a configuration; what follows the channels is not looked at.
    ///
    /// # Errors
    /// Data that ends too early, and reserved values.
    pub fn parse(data: &[u8]) -> Result<Self, BodyError> {
        let mut bits = Bits { data, at: 0 };
        let mut object_type = bits.object_type()?;
        let rate = bits.rate()?;
        let channel_config = bits.take("AAC channel configuration", 4)? as u8;
        let mut extension = None;
        if matches!(object_type, 5 | 29) {
            // The first rate is the core's; the one that is heard follows.
            extension = Some(Extension { object_type, rate: bits.rate()? });
            let at = bits.at / 8;
            object_type = bits.object_type()?;
            if matches!(object_type, 5 | 29) {
                let legal = "any but 5 and 29 inside an extension";
                return Err(BodyError::illegal("AAC object type", at, object_type.into(), legal));
            }
        }
        Ok(Self { object_type, rate, channel_config, extension })
    }

    /// Writes the configuration with frames of 1024 samples.
    pub fn to_bytes(&self) -> Bytes {
        let mut bits = BitWriter::default();
        bits.object_type(self.extension.map_or(self.object_type, |extension| extension.object_type));
        bits.rate(self.rate);
        bits.put(self.channel_config.into(), 4);
        if let Some(extension) = self.extension {
            bits.rate(extension.rate);
            bits.object_type(self.object_type);
        }
        // frameLengthFlag, dependsOnCoreCoder, extensionFlag.
        bits.put(0, 3);
        bits.out.into()
    }

    /// The audio object type of the core, 2 for AAC-LC.
    pub fn object_type(&self) -> u8 {
        self.object_type
    }

    /// Samples a second of the core.
    pub fn core_rate(&self) -> u32 {
        self.rate
    }

    /// Samples a second as heard: the extension's, if there is one.
    pub fn rate(&self) -> u32 {
        self.extension.map_or(self.rate, |extension| extension.rate)
    }

    /// Channels as coded; `None` if they are described inside the sound (configuration 0)
    /// or by a reserved number. Parametric stereo makes two of one.
    pub fn channels(&self) -> Option<u8> {
        match self.channel_config {
            n @ 1..=6 => Some(n),
            7 | 12 | 14 => Some(8),
            11 => Some(7),
            _ => None,
        }
    }

    /// The channel configuration, 0 to 15.
    pub fn channel_config(&self) -> u8 {
        self.channel_config
    }

    /// Spectral band replication, if it is signalled in front.
    pub fn extension(&self) -> Option<Extension> {
        self.extension
    }
}

struct Bits<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, field: &'static str, len: usize) -> Result<u32, BodyError> {
        let mut value = 0;
        for at in self.at..self.at + len {
            let Some(byte) = self.data.get(at / 8) else {
                let offset = self.at / 8;
                return Err(BodyError::truncated(
                    field,
                    offset,
                    (self.at + len).div_ceil(8) - offset,
                    self.data.len() - offset,
                ));
            };
            value = value << 1 | u32::from(byte >> (7 - at % 8) & 1);
        }
        self.at += len;
        Ok(value)
    }

    fn object_type(&mut self) -> Result<u8, BodyError> {
        let at = self.at / 8;
        let object_type = match self.take("AAC object type", 5)? {
            31 => 32 + self.take("AAC object type", 6)?,
            short => short,
        } as u8;
        if object_type == 0 {
            return Err(BodyError::illegal("AAC object type", at, 0, "1 to 95"));
        }
        Ok(object_type)
    }

    fn rate(&mut self) -> Result<u32, BodyError> {
        let at = self.at / 8;
        let index = self.take("AAC rate index", 4)?;
        let rate = if index == u32::from(EXPLICIT) {
            self.take("AAC rate", 24)?
        } else {
            RATES
                .get(index as usize)
                .copied()
                .ok_or_else(|| BodyError::illegal("AAC rate index", at, index.into(), "0 to 12 or 15"))?
        };
        if rate == 0 {
            return Err(BodyError::illegal("AAC rate", at, 0, "1 to 16777215"));
        }
        Ok(rate)
    }
}

#[derive(Default)]
struct BitWriter {
    out: Vec<u8>,
    len: usize,
}

impl BitWriter {
    fn put(&mut self, value: u32, bits: usize) {
        for bit in (0..bits).rev() {
            if self.len.is_multiple_of(8) {
                self.out.push(0);
            }
            if let Some(last) = self.out.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.len % 8);
            }
            self.len += 1;
        }
    }

    fn object_type(&mut self, object_type: u8) {
        if object_type < 31 {
            self.put(object_type.into(), 5);
        } else {
            self.put(31, 5);
            self.put(u32::from(object_type) - 32, 6);
        }
    }

    fn rate(&mut self, rate: u32) {
        match RATES.iter().position(|known| *known == rate) {
            Some(index) => self.put(index as u32, 4),
            None => {
                self.put(EXPLICIT.into(), 4);
                self.put(rate, 24);
            }
        }
    }
}
