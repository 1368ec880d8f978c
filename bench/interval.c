// SPDX-License-Identifier: Apache-2.0
#include "bench/interval.h"

#include <math.h>

#include "common/base.h"

// The 97.5 % points of Student's t for 1 to 30 degrees of freedom, as in any table of it.
static const double student[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                 2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                 2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                 2.060,  2.056, 2.052, 2.048, 2.045, 2.042};

double btk_interval_student(double degrees_of_freedom)
{
    if (degrees_of_freedom < 1) return student[0];
    if (degrees_of_freedom >= 120) return 1.980;
    if (degrees_of_freedom >= 60) return 2.000;
    if (degrees_of_freedom >= 40) return 2.021;
    const size_t index = (size_t)degrees_of_freedom - 1;
    return student[btk_min_size(index, BTK_ARRAY_COUNT(student) - 1)];
}

struct sample {
    double mean;     // of the logarithms
    double variance; // of that mean
};

static struct sample sample_of(const double *times, size_t count)
{
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < count; i++) sum += log(times[i]);
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += (log(times[i]) - mean) * (log(times[i]) - mean);
    const double variance = count > 1 ? squares / (double)(count - 1) / (double)count : 0;
    return (struct sample){mean, variance};
}

struct btk_interval btk_interval_of_ratio(const double *before, size_t before_count,
                                          const double *after, size_t after_count)
{
    const struct sample a = sample_of(before, before_count);
    const struct sample b = sample_of(after, after_count);
    const double difference = b.mean - a.mean;
    const double variance = a.variance + b.variance;
    struct btk_interval interval = {.ratio = exp(difference),
                                    .is_known = before_count > 1 && after_count > 1};
    double half = 0;
    if (interval.is_known && variance > 0) {
        const double parts = a.variance * a.variance / (double)(before_count - 1)
                             + b.variance * b.variance / (double)(after_count - 1);
        half = btk_interval_student(variance * variance / parts) * sqrt(variance);
    }
    interval.low = exp(difference - half);
    interval.high = exp(difference + half);
    return interval;
}
