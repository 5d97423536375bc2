//! Chance that is the same each time: a rehearsal's seed decides it all.

/// A stream of numbers (SplitMix64, Steele, Lea and Flood 2014): not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream of this seed that belongs to this name.
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        // FNV-1a: names differ, so the streams do.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    /// Any number, each as likely.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// One of the numbers below `bound`; 0 if there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The product of two 64-bit numbers, taken down by 2^64, is below `bound`.
        ((u128::from(self.roll()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether it is one of so many millionths.
    pub(crate) fn hits(&mut self, millionths: u32) -> bool {
        self.below(1_000_000) < u64::from(millionths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_stream_and_names_have_their_own() {
        let draw = |seed, name| {
            let mut chance = Chance::of(seed, name);
            [(); 4].map(|()| chance.below(1_000))
        };
        assert_eq!(draw(7, "main/fiber"), draw(7, "main/fiber"));
        assert_ne!(draw(7, "main/fiber"), draw(7, "main/backpack"));
        assert_ne!(draw(7, "main/fiber"), draw(8, "main/fiber"));
        let mut chance = Chance::of(1, "x");
        let hits = (0..10_000).filter(|_| chance.hits(300_000)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        assert_eq!(chance.below(0), 0);
    }
}
