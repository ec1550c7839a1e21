//! Random numbers that are the same for the same seed, everywhere and for ever.

/// splitmix64
pub struct Rng(u64);

impl Rng {
    /// A stream of its own for each seed and number.
    pub fn new(seed: u64, number: u64) -> Rng {
        let mut rng = Rng(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    /// 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// An integer as bugs like them: small, or at a border of some width.
    pub fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.next() >> self.below(64),
            1 => {
                let border = 1u64 << [7, 8, 15, 16, 31, 32, 33, 62, 63][self.below(9)];
                border.wrapping_add(self.below(3) as u64).wrapping_sub(1)
            }
            _ => self.below(20) as u64,
        }
    }
}
