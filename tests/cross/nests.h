/* The shapes of the nests that make_nests.c writes by hand and nests.c checks. */
enum {
    ELEMENTS = 65536 + 3, /* of what is done element by element: every half, and a tail */
    POSITIONS = 5,
    CHANNELS = 32,
    SUMMED = 24, /* of a product's inner dimension */
    SHIFT = 3,   /* bits */
    STEP = 5,    /* of numbers, from -OFFSET on */
    OFFSET = 777,
    ZERO_U8 = 77, /* of what is quantised: odd, so that ties show when it is added before they are rounded */
    ZERO_S8 = -51,
    SPREAD = 0x3779b1, /* shifts are (a SPREAD + b) / 2^SHIFTED, so from -64 to 63 */
    SHIFTED = 25,
    STRIDES = 4,   /* of what is moved: 1, 2, 3 and 7 elements */
    UNTOUCHED = 9, /* what the output holds where nothing is stored */
};
static const int STRIDE[STRIDES] = {1, 2, 3, 7};
