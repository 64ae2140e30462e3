/* OpenCV: filter2D, and sepFilter2D, on images of one f32 channel, whose output is as large as the input. */
#include "peers/peer.h"

#include <opencv2/core.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include <vector>

enum { D, H, W };

struct peer_layer {
    const peer_problem *problem;
    peer_way way;
    int border;
    double bias;
    cv::Mat kernel, column, row;
    cv::Point anchor;
    std::vector<cv::Mat> input, output; // an image each
};

/* False: it has no such border. */
static bool border_of(cvk_padding_mode mode, int *to) {
    switch (mode) {
    case CVK_PADDING_ZEROS: *to = cv::BORDER_CONSTANT; return true;
    case CVK_PADDING_REFLECT: *to = cv::BORDER_REFLECT_101; return true;
    case CVK_PADDING_SYMMETRIC: *to = cv::BORDER_REFLECT; return true;
    case CVK_PADDING_REPLICATE: *to = cv::BORDER_REPLICATE; return true;
    default: return false;
    }
}

static bool dense_and_as_large(const peer_problem *s) {
    for (int i = 0; i < PEER_AXES; i++)
        if (s->stride[i] != 1 || s->dilation[i] != 1 || s->out_size[i] != s->in_size[i]) return false;
    return true;
}

static bool has(const peer_request *r) {
    if (r->problem->operation != CVK_CONVOLUTION) return false;
    const peer_problem *s = r->problem;
    return !peer_is_pool(s) && r->way != PEER_WINOGRAD && peer_all_are(s, CVK_F32) && s->rank <= 2 &&
           s->in_channels == 1 && s->out_channels == 1 && s->post_op_count == 0 && dense_and_as_large(s) &&
           !r->narrowed;
}

/* Images of one channel are plain in every layout. What is only read is not const to cv::Mat. */
static cv::Mat image(const void *data, const int64_t size[PEER_AXES], int64_t i) {
    float *first = static_cast<float *>(const_cast<void *>(data)) + i * size[H] * size[W];
    return cv::Mat(static_cast<int>(size[H]), static_cast<int>(size[W]), CV_32F, first);
}

static void make_ready(peer_layer *p, const peer_request *r) {
    const peer_problem *s = p->problem = r->problem;
    p->way = r->way;
    p->bias = s->bias ? static_cast<const float *>(r->data.bias)[0] : 0;
    p->kernel = image(r->data.weights, s->kernel, 0).clone();
    p->anchor = cv::Point(static_cast<int>(s->pad_before[W]), static_cast<int>(s->pad_before[H]));
    cv::Point pivot; // of a product of a column and a row any weight but 0 will do
    cv::minMaxLoc(cv::abs(p->kernel), nullptr, nullptr, nullptr, &pivot);
    p->column = p->kernel.col(pivot.x).clone();
    p->row = p->kernel.row(pivot.y) / p->kernel.at<float>(pivot);
    for (int64_t n = 0; n < s->batch; n++) {
        p->input.push_back(image(r->data.input, s->in_size, n).clone());
        p->output.push_back(cv::Mat::zeros(p->input.back().size(), CV_32F));
    }
    cv::setNumThreads(static_cast<int>(r->threads));
}

static peer_layer *peer_open(const peer_request *r) {
    int border;
    if (!has(r) || !border_of(r->problem->border, &border)) return nullptr;
    try {
        peer_layer *p = new peer_layer();
        p->border = border;
        make_ready(p, r);
        return p;
    } catch (const std::exception &) {
        return nullptr;
    }
}

static void peer_run(peer_layer *p) {
    for (size_t n = 0; n < p->input.size(); n++)
        if (p->way == PEER_SEPARABLE)
            cv::sepFilter2D(p->input[n], p->output[n], CV_32F, p->row, p->column, p->anchor, p->bias, p->border);
        else
            cv::filter2D(p->input[n], p->output[n], CV_32F, p->kernel, p->anchor, p->bias, p->border);
}

static bool peer_answer(peer_layer *p, void *output) {
    peer_run(p);
    for (size_t n = 0; n < p->output.size(); n++)
        p->output[n].copyTo(image(output, p->problem->out_size, static_cast<int64_t>(n)));
    return true;
}

static void peer_rest() {}
static const char *peer_variant(const peer_layer *p) { return p->way == PEER_SEPARABLE ? "sepFilter2D" : "filter2D"; }
static void peer_close(peer_layer *p) { delete p; }

static const char *peer_title() {
    static const std::string title = "OpenCV " + cv::getVersionString();
    return title.c_str();
}

const peer convoke_peer = {PEER_VERSION, 1u << PEER_DIRECT | 1u << PEER_SEPARABLE,
                           peer_title,   peer_open,
                           peer_run,     peer_answer,
                           peer_rest,    peer_variant,
                           peer_close};
