"""nf.math.special: Bessel functions, integrals and Spence's function."""

from nbflow.public import unary

bessel_i0 = unary("bessel_i0", "The modified Bessel function I₀", "math.special.bessel_i0", "math.bessel_i0")
bessel_i0e = unary("bessel_i0e", "e⁻ˡˣˡ I₀(x)", "math.special.bessel_i0e", "math.bessel_i0e")
bessel_i1 = unary("bessel_i1", "The modified Bessel function I₁", "math.special.bessel_i1", "math.bessel_i1")
bessel_i1e = unary("bessel_i1e", "e⁻ˡˣˡ I₁(x)", "math.special.bessel_i1e", "math.bessel_i1e")
bessel_k0 = unary("bessel_k0", "The modified Bessel function K₀, ∞ for x ≤ 0", "math.special.bessel_k0")
bessel_k0e = unary("bessel_k0e", "eˣ K₀(x), ∞ for x ≤ 0", "math.special.bessel_k0e")
bessel_k1 = unary("bessel_k1", "The modified Bessel function K₁, ∞ for x ≤ 0", "math.special.bessel_k1")
bessel_k1e = unary("bessel_k1e", "eˣ K₁(x), ∞ for x ≤ 0", "math.special.bessel_k1e")
bessel_j0 = unary("bessel_j0", "The Bessel function J₀", "math.special.bessel_j0")
bessel_j1 = unary("bessel_j1", "The Bessel function J₁", "math.special.bessel_j1")
bessel_y0 = unary("bessel_y0", "The Bessel function Y₀, -∞ for x ≤ 0", "math.special.bessel_y0")
bessel_y1 = unary("bessel_y1", "The Bessel function Y₁, -∞ for x ≤ 0", "math.special.bessel_y1")
dawsn = unary("dawsn", "Dawson's integral exp(-x²) ∫₀ˣ exp(t²) dt", "math.special.dawsn")
expint = unary("expint", "The exponential integral ∫ exp(t) / t dt from -∞ to x, NaN for x < 0", "math.special.expint")
fresnel_cos = unary("fresnel_cos", "Fresnel's integral ∫₀ˣ cos(πt²/2) dt", "math.special.fresnel_cos")
fresnel_sin = unary("fresnel_sin", "Fresnel's integral ∫₀ˣ sin(πt²/2) dt", "math.special.fresnel_sin")
spence = unary("spence", "Spence's function -∫₁ˣ log(t) / (t - 1) dt, NaN for x < 0", "math.special.spence")
